import { Button, Center, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { memo, useMemo, useState } from 'react'
import { type Breaker, changedAt } from '../../api/breakers'
import { useLive } from '../../api/live'
import { type Names, useServerNames } from '../../api/server-names'
import { Ago } from '../../components/ago'
import { BreakerActions } from '../../components/breaker-actions'
import { countsOf } from '../../components/breaker-words'
import { columnsFor, DataTable } from '../../components/data-table'
import { NextTry } from '../../components/next-try'
import { BREAKER_STATES, Mark } from '../../components/status'
import { sentence } from '../../lib/format'
import styles from './breakers.module.css'

const column = columnsFor<Breaker>()

/** Breakers of one state. step: how many at most, and how many more when they are asked for. */
export const BreakerTable = memo(function BreakerTable({
  breakers,
  label,
  onDone,
  step = 100,
}: {
  breakers: Breaker[]
  label: string
  onDone: () => void
  step?: number
}) {
  const [most, setMost] = useState(step)
  const names = useServerNames()
  const columns = useMemo(() => columnsOf(onDone, names), [onDone, names])
  const shown = useMemo(() => breakers.slice(0, most), [breakers, most])
  return (
    <>
      <DataTable columns={columns} data={shown} label={label} rowId={idOf} minWidth={960} cardsBelow="80em" />
      {breakers.length > most && (
        <Center p="xs">
          <Button size="compact-sm" variant="default" onClick={() => setMost(most + step)}>
            Show more of the other {(breakers.length - most).toLocaleString('en')}
          </Button>
        </Center>
      )}
    </>
  )
})

const idOf = (breaker: Breaker) => JSON.stringify([breaker.server, breaker.model])

const columnsOf = (onDone: () => void, names: Names) =>
  column.columns([
    column.accessor((one) => `${one.server} ${one.model ?? ''}`, {
      id: 'name',
      header: 'Breaker of',
      cell: ({ row }) => <Name breaker={row.original} server={names[row.original.server]} />,
    }),
    column.accessor('state', { header: 'State', cell: ({ row }) => <State breaker={row.original} /> }),
    column.accessor('failures', {
      header: 'Failures',
      cell: ({ row }) => <div className={`num ${styles.failures}`}>{countsOf(row.original)}</div>,
    }),
    column.accessor((one) => -changedAt(one), {
      id: 'since',
      header: 'Since',
      cell: ({ row }) => <Since breaker={row.original} />,
    }),
    column.accessor((one) => one.nextTrySeconds ?? Number.POSITIVE_INFINITY, {
      id: 'next',
      header: 'Next try',
      cell: ({ row }) => (
        <div className={styles.next}>
          <NextTry breaker={row.original} />
        </div>
      ),
    }),
    column.display({
      id: 'menu',
      header: 'Actions',
      cell: ({ row }) => (
        <BreakerActions breaker={row.original} serverName={names[row.original.server]} onDone={onDone} />
      ),
    }),
  ])

/** server: its name, undefined while that is not known. */
const Name = ({ breaker, server = breaker.server }: { breaker: Breaker; server?: string }) => (
  <div className={styles.name}>
    <Text size="sm" fw={600} style={{ overflowWrap: 'anywhere' }}>
      {breaker.model ?? 'The server itself'}
    </Text>
    <Text size="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
      on{' '}
      <Link className="link" to="/servers/$id" params={{ id: breaker.server }}>
        {server}
      </Link>
    </Text>
  </div>
)

function State({ breaker: { state, reason } }: { breaker: Breaker }) {
  const { word, tone } = BREAKER_STATES[state] ?? { word: state, tone: 'none' }
  return (
    <div className={styles.state}>
      <Mark word={word} tone={tone} />
      <Text size="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
        {sentence(reason)}
      </Text>
    </div>
  )
}

function Since({ breaker }: { breaker: Breaker }) {
  const { offset } = useLive()
  return <Ago time={changedAt(breaker) + offset} />
}
