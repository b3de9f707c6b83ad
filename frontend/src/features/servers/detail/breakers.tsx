import { Anchor, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useMemo } from 'react'
import { type Breaker, changedAt } from '../../../api/breakers'
import { useLive } from '../../../api/live'
import { queries } from '../../../api/queries'
import type { ServerAnswer } from '../../../api/types'
import { Ago } from '../../../components/ago'
import { BreakerActions } from '../../../components/breaker-actions'
import { countsOf } from '../../../components/breaker-words'
import { columnsFor, DataTable } from '../../../components/data-table'
import { Loaded } from '../../../components/loaded'
import { NextTry } from '../../../components/next-try'
import { BREAKER_STATES, Mark } from '../../../components/status'
import { sentence } from '../../../lib/format'
import { Section } from './section'

const MOST = 100

/** The breakers of one server: its own, then those of its models that are not closed, then the others. */
export function ServerBreakers({ server }: { server: ServerAnswer }) {
  const query = useQuery(queries.breakers())
  return (
    <Section
      title="Circuit breakers"
      aside={
        <Anchor fz="xs" renderRoot={(props) => <Link to="/breakers" search={{ server: server.id }} {...props} />}>
          All breakers, and how they work
        </Anchor>
      }
    >
      <Loaded query={query} what="Circuit breakers">
        {(breakers) => <List breakers={breakers} server={server} />}
      </Loaded>
    </Section>
  )
}

function List({ breakers, server: { id, name } }: { breakers: Breaker[]; server: ServerAnswer }) {
  const shown = useMemo(() => ofServer(breakers, id), [breakers, id])
  const columns = useMemo(() => columnsOf(name || undefined), [name])
  return (
    <DataTable
      label="Circuit breakers of this server"
      columns={columns}
      data={shown}
      rowId={(breaker) => breaker.model ?? ''}
      minWidth={720}
      cardsBelow="64em"
      most={MOST}
    />
  )
}

const ORDER = ['open', 'half-open', 'closed']

export const ofServer = (breakers: readonly Breaker[], id: string) =>
  breakers
    .filter((breaker) => breaker.server === id)
    .sort((a, b) => rank(a) - rank(b) || (a.model ?? '').localeCompare(b.model ?? ''))

const rank = ({ model, state }: Breaker) => (model === null ? -1 : ORDER.indexOf(state))

const column = columnsFor<Breaker>()
/** serverName: where it has one beside its id. */
const columnsOf = (serverName: string | undefined) =>
  column.columns([
    column.display({
      id: 'name',
      header: 'Breaker of',
      cell: ({ row: { original } }) => (
        <Text size="sm" fw={500} style={{ overflowWrap: 'anywhere' }}>
          {original.model ?? 'The server itself'}
        </Text>
      ),
    }),
    column.display({ id: 'state', header: 'State', cell: ({ row }) => <State breaker={row.original} /> }),
    column.display({
      id: 'failures',
      header: 'Failures',
      cell: ({ row }) => (
        <Text size="sm" span className="num">
          {countsOf(row.original)}
        </Text>
      ),
    }),
    column.display({ id: 'next', header: 'Next try', cell: ({ row }) => <NextTry breaker={row.original} /> }),
    column.display({ id: 'since', header: 'Since', cell: ({ row }) => <Since breaker={row.original} /> }),
    column.display({
      id: 'menu',
      header: 'Actions',
      cell: ({ row }) => <BreakerActions breaker={row.original} serverName={serverName} />,
    }),
  ])

function State({ breaker: { state, reason } }: { breaker: Breaker }) {
  const { word, tone } = BREAKER_STATES[state] ?? { word: state, tone: 'none' }
  return (
    <div>
      <Mark tone={tone} word={word} />
      {state !== 'closed' && (
        <Text size="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
          {sentence(reason)}
        </Text>
      )}
    </div>
  )
}

function Since({ breaker }: { breaker: Breaker }) {
  const { offset } = useLive()
  return <Ago time={changedAt(breaker) + offset} />
}
