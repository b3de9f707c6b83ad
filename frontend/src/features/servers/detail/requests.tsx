import { Anchor, Stack, Text } from '@mantine/core'
import { queryOptions, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { api } from '../../../api/client'
import type { RequestAnswer, RequestsAnswer, ServerAnswer } from '../../../api/types'
import { columnsFor, DataTable } from '../../../components/data-table'
import { Empty } from '../../../components/empty'
import { Loaded } from '../../../components/loaded'
import { Mark } from '../../../components/status'
import { clock, count, duration, utc } from '../../../lib/format'
import { outcomeOf } from '../../../lib/words'
import { Facts } from './facts'
import { Section } from './section'

const LATEST = 50
const EVERY_MS = 5000

const latest = (id: string) =>
  queryOptions({
    queryKey: ['requests', 'of', id],
    queryFn: () => api<RequestsAnswer>(`/requests?server=${encodeURIComponent(id)}&limit=${LATEST}`),
    refetchInterval: EVERY_MS,
  })

/** How attempts on this server ended, and its latest requests. */
export function ServerRequests({ server }: { server: ServerAnswer }) {
  const query = useQuery(latest(server.id))
  return (
    <Stack gap="sm">
      <Section title="Attempts since the start" padded>
        <Outcomes outcomes={server.outcomes} />
      </Section>
      <Section
        title="Latest requests"
        aside={
          <Anchor fz="xs" renderRoot={(props) => <Link to="/requests" search={{ server: server.id }} {...props} />}>
            All requests of this server
          </Anchor>
        }
      >
        <Loaded query={query} what="Requests">
          {({ requests }) =>
            requests.length ? (
              <DataTable
                label="Latest requests"
                columns={columns}
                data={requests}
                rowId={(request) => `${request.id} ${request.time}`}
                minWidth={760}
              />
            ) : (
              <Empty title="No requests yet">Those that this server worked on appear here.</Empty>
            )
          }
        </Loaded>
      </Section>
    </Stack>
  )
}

function Outcomes({ outcomes }: Pick<ServerAnswer, 'outcomes'>) {
  const counted = Object.entries(outcomes).filter(([, number]) => number > 0)
  if (!counted.length)
    return (
      <Text size="sm" c="dimmed">
        None yet.
      </Text>
    )
  return <Facts facts={counted.map(([outcome, number]) => [outcomeOf(outcome).word, count(number)])} />
}

const column = columnsFor<RequestAnswer>()
const Figure = ({ text }: { text: string }) => (
  <Text size="sm" className="num" span style={{ whiteSpace: 'nowrap' }}>
    {text}
  </Text>
)

const columns = column.columns([
  column.accessor('time', {
    id: 'name',
    header: 'Time',
    cell: ({ row: { original } }) => (
      <Anchor
        fz="sm"
        className="num"
        title={utc(original.time)}
        renderRoot={(props) => <Link to="/requests" search={{ server: original.server, id: original.id }} {...props} />}
      >
        {clock(original.time)}
      </Anchor>
    ),
  }),
  column.accessor((request) => request.failure ?? 'ok', {
    id: 'result',
    header: 'Result',
    cell: ({ row: { original } }) => <Result request={original} />,
  }),
  column.accessor('model', {
    header: 'Model',
    cell: ({ getValue }) => (
      <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
        {getValue()}
      </Text>
    ),
  }),
  column.accessor('path', {
    header: 'Path',
    cell: ({ getValue }) => (
      <Text size="xs" className="mono">
        {getValue()}
      </Text>
    ),
  }),
  column.accessor((request) => request.firstEventSeconds ?? undefined, {
    id: 'first',
    header: 'TTFT',
    sortUndefined: 'last',
    cell: ({ row: { original } }) => <Figure text={duration(original.stream ? original.firstEventSeconds : null)} />,
  }),
  column.accessor('durationSeconds', {
    header: 'Total',
    cell: ({ getValue }) => <Figure text={duration(getValue())} />,
  }),
  column.accessor((request) => request.completionTokens ?? undefined, {
    id: 'tokens',
    header: 'Tokens in / out',
    sortUndefined: 'last',
    cell: ({ row: { original } }) => (
      <Figure text={`${count(original.promptTokens)} / ${count(original.completionTokens)}`} />
    ),
  }),
])

function Result({ request: { failure, outcome, reason } }: { request: RequestAnswer }) {
  const { word, tone } = outcomeOf(failure ?? outcome)
  return (
    <div>
      <Mark tone={tone} word={word} />
      {failure && reason && (
        <Text size="xs" c="dimmed" lineClamp={2} title={reason} style={{ overflowWrap: 'anywhere' }}>
          {reason}
        </Text>
      )}
    </div>
  )
}
