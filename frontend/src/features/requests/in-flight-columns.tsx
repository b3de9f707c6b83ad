import { Button, Group, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import type { Names } from '../../api/server-names'
import type { InFlightAnswer } from '../../api/types'
import { Mark } from '../../components/status'
import { useNow } from '../../components/use-now'
import { DASH, duration, utc } from '../../lib/format'
import { dialectOf, operationOf, triesText } from './figures'
import type { Column, Look } from './virtual-table'

export const STALLED_SECONDS = 10

export const PHASES: Record<InFlightAnswer['phase'], { word: string; tone: string }> = {
  queued: { word: 'Queued', tone: 'none' },
  waiting: { word: 'Waiting for the first token', tone: 'info' },
  answering: { word: 'Answering', tone: 'ok' },
}

export function Phase({ row }: { row: Pick<InFlightAnswer, 'phase' | 'idleSeconds' | 'stream'> }) {
  const { word, tone } = PHASES[row.phase]
  if (row.idleSeconds !== null && row.idleSeconds > STALLED_SECONDS)
    return <Mark tone="warn" word={`Stalled ${duration(Math.floor(row.idleSeconds))}`} />
  return <Mark tone={tone} word={row.phase === 'waiting' && !row.stream ? 'Waiting for the answer' : word} />
}

function Age({ row }: { row: InFlightAnswer }) {
  const now = useNow(1)
  return <span title={`Came at ${utc(row.time)}`}>{duration(Math.max(0, now - row.time, row.ageSeconds))}</span>
}

export function inFlightLook(names: Names, onCancel: (row: InFlightAnswer) => void): Look<InFlightAnswer> {
  const server = ({ server }: InFlightAnswer) =>
    server ? (
      <Link className="link" to="/servers/$id" params={{ id: server }}>
        {names[server] ?? server}
      </Link>
    ) : (
      DASH
    )
  const cancel = (row: InFlightAnswer) => (
    <Button
      size="compact-xs"
      variant="default"
      h={24}
      flex="none"
      aria-label={`Cancel the request for ${row.model || row.path} from ${row.client}`}
      onClick={() => onCancel(row)}
    >
      Cancel
    </Button>
  )
  const columns: Column<InFlightAnswer>[] = [
    { header: 'Age', width: '74px', cell: (row) => <Age row={row} /> },
    { header: 'Phase', width: '196px', cell: (row) => <Phase row={row} /> },
    { header: 'Model', width: 'minmax(140px, 1.4fr)', cell: (row) => row.model || DASH },
    { header: 'Server', width: 'minmax(120px, 1fr)', cell: server },
    {
      header: 'Operation',
      width: 'minmax(120px, 1fr)',
      cell: (row) => <span title={row.path}>{`${operationOf(row.operation)}, ${dialectOf(row.dialect)}`}</span>,
    },
    { header: 'Client', width: '108px', cell: (row) => row.client || DASH },
    { header: 'Tries', width: '48px', end: true, cell: (row) => row.attempts },
    { header: 'Actions', width: '76px', end: true, cell: cancel },
  ]
  return {
    columns,
    minWidth: 960,
    cards: '(max-width: 79.99em)',
    cardHeight: 106,
    card: (row) => (
      <div style={{ padding: '6px 10px' }}>
        <Group justify="space-between" wrap="nowrap" gap="xs">
          <Phase row={row} />
          <Text size="sm" span className="num">
            <Age row={row} />
          </Text>
        </Group>
        <Text size="sm" fw={500} truncate>
          {row.model || DASH}
        </Text>
        <Group justify="space-between" wrap="nowrap" gap="xs">
          <Text size="xs" c="dimmed" truncate>
            {server(row)} · {triesText(row.attempts)} · {row.client}
          </Text>
          {cancel(row)}
        </Group>
      </div>
    ),
  }
}
