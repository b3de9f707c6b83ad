import { Button, Group, Paper, Text } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Boxes } from 'lucide-react'
import { useCallback, useMemo, useState } from 'react'
import { queries } from '../../api/queries'
import { useServerNames } from '../../api/server-names'
import type { FleetModel } from '../../api/types'
import { Empty, Failed, Loading } from '../../components/empty'
import { Page } from '../../components/page'
import { Stale } from '../../components/stale'
import { ModelCards } from './cards'
import { ModelDetails } from './details'
import { ModelFilters } from './filters'
import { Legend } from './legend'
import { chosen } from './select'
import { ModelTable } from './table'
import { useModelSearch } from './use-search'

const MOST_COLUMNS = 12
const NONE: FleetModel[] = []

export function Models() {
  const [search, set] = useModelSearch()
  const names = useServerNames()
  const total = Object.keys(names).length
  // Where a request would go moves with every request; with many servers the answer is large.
  const query = useQuery({
    ...queries.fleetModels(),
    refetchInterval: ({ state }) => state.data !== undefined && (total > MOST_COLUMNS ? 10_000 : 3_000),
  })
  const models = query.data?.models ?? NONE
  const found = useMemo(() => chosen(models, search), [models, search])
  const open = useCallback((model: string) => set({ model }), [set])
  return (
    <Page title="Models" actions={models.length ? <ModelFilters search={search} onChange={set} names={names} /> : null}>
      <Stale query={query} what="Models" />
      {query.data === undefined ? (
        <Paper withBorder>
          {query.isError ? (
            <Failed what="Models" error={query.error} onRetry={() => void query.refetch()} />
          ) : (
            <Loading label="Loading models" />
          )}
        </Paper>
      ) : models.length === 0 ? (
        <Nothing servers={total} />
      ) : (
        <>
          <Group justify="space-between" gap="4px 14px">
            <Text size="xs" c="dimmed" className="num" role="status">
              {found.length === models.length
                ? `${count(models.length)}`
                : `${found.length} of ${count(models.length)}`}
            </Text>
            <Legend />
          </Group>
          {found.length ? (
            <List models={found} names={names} onOpen={open} />
          ) : (
            <Paper withBorder>
              <Empty
                title="No model matches"
                action={
                  <Button variant="default" onClick={() => set({ q: undefined, server: undefined, loaded: undefined })}>
                    Clear filters
                  </Button>
                }
              />
            </Paper>
          )}
        </>
      )}
      <ModelDetails
        name={query.data && search.model}
        models={models}
        names={names}
        total={total}
        onClose={() => set({ model: undefined })}
      />
    </Page>
  )
}

const count = (models: number) => `${models.toLocaleString('en')} ${models === 1 ? 'model' : 'models'}`

type ListProps = Pick<Parameters<typeof ModelCards>[0], 'models' | 'names' | 'onOpen'>

/** A matrix, of many servers a list that unfolds; where there is little room, cards that unfold. */
function List(props: ListProps) {
  const narrow = useMediaQuery('(max-width: 899px)', false, { getInitialValueInEffect: false })
  const [expanded, setExpanded] = useState<ReadonlySet<string>>(new Set())
  const toggle = useCallback((name: string) => setExpanded((before) => toggled(before, name)), [])
  const ids = useMemo(() => Object.keys(props.names), [props.names])
  const columns = useMemo(() => (ids.length <= MOST_COLUMNS ? ids : []), [ids])
  const list = { ...props, total: ids.length, expanded, onToggle: toggle }
  if (narrow) return <ModelCards {...list} />
  return (
    <Paper withBorder>
      <ModelTable {...list} columns={columns} />
    </Paper>
  )
}

function toggled(names: ReadonlySet<string>, name: string): ReadonlySet<string> {
  const changed = new Set(names)
  if (!changed.delete(name)) changed.add(name)
  return changed
}

const Nothing = ({ servers }: { servers: number }) => (
  <Paper withBorder>
    <Empty
      icon={<Boxes size={36} />}
      title="No models yet"
      action={
        <Button
          renderRoot={(props) =>
            servers ? <Link to="/servers" {...props} /> : <Link to="/servers" search={{ add: true }} {...props} />
          }
        >
          {servers ? 'To the servers' : 'Add a server'}
        </Button>
      }
    >
      {servers
        ? 'No server lists a model. Pull one onto a server, or see whether a server is reachable.'
        : 'The models of every server show here, with where a request for each would go.'}
    </Empty>
  </Paper>
)
