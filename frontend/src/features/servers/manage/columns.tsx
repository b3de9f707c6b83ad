import { Button, Text, VisuallyHidden } from '@mantine/core'
import { columnsFor } from '../../../components/data-table'
import { Mark } from '../../../components/status'
import { useNow } from '../../../components/use-now'
import { bytes, DASH } from '../../../lib/format'
import { stays, videoShare } from '../../../lib/memory'
import type { ManagedRow } from './rows'
import type { Turn } from './use-loading'

const column = columnsFor<ManagedRow>()

export const columnsOf = (onTurn: (model: string, turn: Turn) => void) =>
  column.columns([
    column.accessor('name', { header: 'Model', cell: ({ row }) => <Name row={row.original} /> }),
    column.accessor((row) => row.size ?? undefined, {
      id: 'size',
      header: 'Size',
      sortUndefined: 'last',
      cell: ({ row }) => <Figure text={bytes(row.original.size)} />,
    }),
    column.accessor('quantisation', {
      header: 'Quantisation',
      cell: ({ row }) => <Figure text={row.original.quantisation || DASH} />,
    }),
    column.accessor((row) => Number(row.loaded), {
      id: 'memory',
      header: 'State',
      cell: ({ row }) => <Memory row={row.original} />,
    }),
    column.display({
      id: 'menu',
      header: () => <VisuallyHidden>Actions</VisuallyHidden>,
      cell: ({ row }) => <LoadButton row={row.original} onTurn={onTurn} />,
    }),
  ])

const Figure = ({ text }: { text: string }) => (
  <Text size="sm" className="num" span style={{ whiteSpace: 'nowrap' }}>
    {text}
  </Text>
)

const Name = ({ row: { name, parameters, allowed, state } }: { row: ManagedRow }) => (
  <div>
    <Text size="sm" fw={600} style={{ overflowWrap: 'anywhere' }}>
      {name}
    </Text>
    <Text size="xs" c="dimmed">
      {[parameters && `${parameters} parameters`, allowed ? '' : 'denied to requests'].filter(Boolean).join(' · ')}
    </Text>
    {state && 'problem' in state && (
      <Text size="xs" c="var(--mantine-color-error)" role="alert" style={{ overflowWrap: 'anywhere' }}>
        {state.problem}
      </Text>
    )}
  </div>
)

function Memory({ row: { memory } }: { row: ManagedRow }) {
  const now = useNow(5)
  if (!memory) return <Mark tone="none" word="Listed" />
  return (
    <div>
      <Mark tone="ok" word="In memory" />
      <Text size="xs" c="dimmed" className="num">
        {stays(memory.expiresAt, now)} · {videoShare(memory)} of {bytes(memory.size)} in VRAM
      </Text>
    </div>
  )
}

function LoadButton({ row, onTurn }: { row: ManagedRow; onTurn: (model: string, turn: Turn) => void }) {
  const turn = row.loaded ? 'unload' : 'load'
  const doing = row.state && 'doing' in row.state ? row.state.doing : null
  return (
    <Button
      size="compact-sm"
      variant="default"
      miw={74}
      // Not `disabled`, which would take the focus away from whoever pressed it.
      data-disabled={doing !== null || undefined}
      aria-disabled={doing !== null}
      aria-label={`${doing ? WORDS[doing].doing : WORDS[turn].does} ${row.name}`}
      onClick={() => doing === null && onTurn(row.name, turn)}
    >
      {doing ? WORDS[doing].doing : WORDS[turn].does}
    </Button>
  )
}

const WORDS = {
  load: { does: 'Load', doing: 'Loading…' },
  unload: { does: 'Unload', doing: 'Unloading…' },
}
