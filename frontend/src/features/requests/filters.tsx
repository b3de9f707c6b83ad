import { Button } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { SlidersHorizontal } from 'lucide-react'
import { memo, useId, useState } from 'react'
import type { Names } from '../../api/server-names'
import type { RequestAnswer } from '../../api/types'
import { Choice } from '../../components/choice'
import { Filter } from '../../components/filter'
import { outcomeOf } from '../../lib/words'
import { DIALECTS } from './figures'
import { secondsOf } from './filter'
import classes from './log.module.css'
import type { RequestSearch } from './search'

type Failure = NonNullable<RequestAnswer['failure']>
const FAILURES: Record<Failure, true> = {
  clientError: true,
  rateLimited: true,
  serverError: true,
  timeout: true,
  truncated: true,
  clientGone: true,
  cancelled: true,
}
const RESULTS = [
  { value: 'ok', label: outcomeOf('ok').word },
  { value: 'error', label: 'Any error' },
  { value: 'failed', label: 'Not answered' },
  ...Object.keys(FAILURES).map((value) => ({ value, label: outcomeOf(value).word })),
]
const APIS = Object.entries(DIALECTS).map(([value, label]) => ({ value, label }))
const SECONDS = ['0.5', '1', '2', '5', '10', '30', '60', '300']

interface Props {
  search: RequestSearch
  onChange: (changes: RequestSearch) => void
  /** Names by their ids. */
  servers: Names
  models: () => string[]
}

/** All of them are in the address. On phones all but the text are folded away. */
export const Filters = memo(function Filters({ search, onChange, servers, models }: Props) {
  const phone = useMediaQuery('(max-width: 40em)', false, { getInitialValueInEffect: false })
  const [open, setOpen] = useState(false)
  const id = useId()
  const { q, result, server, model, dialect, slower } = search
  const set = [result, server, model, dialect, slower].filter(Boolean).length
  return (
    <>
      <div className={classes.text}>
        <Filter label="Filter requests" value={q} onChange={(value) => onChange({ q: value })} />
      </div>
      {phone && (
        <Button
          variant="default"
          leftSection={<SlidersHorizontal size={14} />}
          aria-expanded={open}
          aria-controls={id}
          onClick={() => setOpen(!open)}
        >
          {set ? `Filters (${set})` : 'Filters'}
        </Button>
      )}
      {(!phone || open) && (
        <div className={classes.choices} id={id}>
          <One
            label="Result"
            all="Every result"
            data={RESULTS}
            value={result}
            onChange={(value) => onChange({ result: value })}
          />
          <One
            label="Server"
            all="Every server"
            data={withChosen(
              Object.entries(servers).map(([value, label]) => ({ value, label })),
              server,
            )}
            value={server}
            onChange={(value) => onChange({ server: value })}
            searchable
          />
          <Models models={models} value={model} onChange={(value) => onChange({ model: value })} />
          <One
            label="API"
            all="Every API"
            data={APIS}
            value={dialect}
            onChange={(value) => onChange({ dialect: value })}
          />
          <One
            label="Slower than"
            all="Any duration"
            data={
              secondsOf(slower) === null ? slowness(SECONDS) : withChosen(slowness(SECONDS), String(slower), slowness)
            }
            value={slower === undefined ? undefined : String(slower)}
            onChange={(value) => onChange({ slower: value })}
          />
        </div>
      )}
    </>
  )
})

/** The models are looked up when the list opens, not with every request that comes. */
function Models({
  models,
  value,
  onChange,
}: {
  models: () => string[]
  value: string | undefined
  onChange: (value: string | undefined) => void
}) {
  const [names, setNames] = useState<string[]>([])
  return (
    <One
      label="Model"
      all="Every model"
      data={withChosen(
        names.map((name) => ({ value: name, label: name })),
        value,
      )}
      value={value}
      onChange={onChange}
      onOpen={() => setNames(models())}
      searchable
    />
  )
}

interface Option {
  value: string
  label: string
}

const slowness = (seconds: readonly string[]): Option[] =>
  seconds.map((value) => ({ value, label: `Over ${Number(value) < 1 ? `${Number(value) * 1000} ms` : `${value} s`}` }))

/** What the address asks for can be seen even where it is none of the usual choices. */
function withChosen(
  choices: readonly Option[],
  chosen: string | undefined,
  made: (values: readonly string[]) => Option[] = (values) => values.map((value) => ({ value, label: value })),
): Option[] {
  const missing = chosen !== undefined && !choices.some(({ value }) => value === chosen)
  return missing ? [...made([chosen]), ...choices] : [...choices]
}

function One({
  label,
  all,
  data,
  value,
  onChange,
  onOpen,
  searchable = false,
}: {
  label: string
  all: string
  data: Option[]
  value: string | undefined
  onChange: (value: string | undefined) => void
  onOpen?: () => void
  searchable?: boolean
}) {
  return (
    <Choice
      aria-label={label}
      placeholder={all}
      data={data}
      value={value ?? null}
      onChange={(chosen) => onChange(chosen ?? undefined)}
      {...(onOpen && { onDropdownOpen: onOpen })}
      searchable={searchable}
      clearable
      comboboxProps={{ width: 'max-content', position: 'bottom-start' }}
      clearButtonProps={{ 'aria-label': `Clear ${label.toLowerCase()}` }}
      nothingFoundMessage="Nothing found"
    />
  )
}
