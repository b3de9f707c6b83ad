import { Text } from '@mantine/core'
import type { ModelAnswer, V1ModelAnswer } from '../../../api/types'
import { columnsFor } from '../../../components/data-table'
import { Mark } from '../../../components/status'
import { bytes, count, DASH } from '../../../lib/format'

const ollama = columnsFor<ModelAnswer>()
const openAi = columnsFor<V1ModelAnswer>()

const Name = ({ name }: { name: string }) => (
  <Text size="sm" fw={500} style={{ overflowWrap: 'anywhere' }}>
    {name}
  </Text>
)

const Figure = ({ text }: { text: string }) => (
  <Text size="sm" className="num" span style={{ whiteSpace: 'nowrap' }}>
    {text}
  </Text>
)

const State = ({ model: { loaded, allowed } }: { model: { loaded: boolean; allowed: boolean } }) => (
  <div>
    <Mark tone={loaded ? 'ok' : 'none'} word={loaded ? 'In memory' : 'Listed'} />
    {!allowed && (
      <Text size="xs" c="dimmed">
        denied to requests
      </Text>
    )}
  </div>
)

const weight = ({ loaded, allowed }: { loaded: boolean; allowed: boolean }) => Number(loaded) * 2 + Number(allowed)

export const ollamaColumns = ollama.columns([
  ollama.accessor('name', { header: 'Model', cell: ({ getValue }) => <Name name={getValue()} /> }),
  ollama.accessor((model) => model.size ?? undefined, {
    id: 'size',
    header: 'Size',
    sortUndefined: 'last',
    cell: ({ row }) => <Figure text={bytes(row.original.size)} />,
  }),
  ollama.accessor(({ details }) => quantisation(details), {
    id: 'quantisation',
    header: 'Quantisation',
    cell: ({ getValue }) => <Figure text={getValue() || DASH} />,
  }),
  ollama.accessor(weight, { id: 'state', header: 'State', cell: ({ row }) => <State model={row.original} /> }),
])

export const openAiColumns = openAi.columns([
  openAi.accessor('name', { header: 'Model', cell: ({ getValue }) => <Name name={getValue()} /> }),
  openAi.accessor('ownedBy', { header: 'Owner', cell: ({ getValue }) => <Figure text={getValue() || DASH} /> }),
  openAi.accessor((model) => model.contextLength ?? undefined, {
    id: 'context',
    header: 'Context',
    sortUndefined: 'last',
    cell: ({ row: { original } }) => (
      <Figure text={original.contextLength === null ? DASH : `${count(original.contextLength)} tokens`} />
    ),
  }),
  openAi.accessor(weight, { id: 'state', header: 'State', cell: ({ row }) => <State model={row.original} /> }),
])

function quantisation(details: Record<string, unknown> | null): string {
  const told = details?.quantization_level
  return typeof told === 'string' ? told : ''
}
