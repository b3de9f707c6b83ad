import { Text } from '@mantine/core'
import type { ReactNode } from 'react'
import type { LoadedModelAnswer } from '../../../api/types'
import { columnsFor, DataTable } from '../../../components/data-table'
import { useNow } from '../../../components/use-now'
import { bytes, count, DASH, utc } from '../../../lib/format'
import { stays, videoShare } from '../../../lib/memory'
import { Section } from './section'

const column = columnsFor<LoadedModelAnswer>()

const Figure = ({ text, title }: { text: string; title?: string }) => (
  <Text size="sm" className="num" span {...(title && { title })}>
    {text}
  </Text>
)

const columns = column.columns([
  column.accessor('name', {
    header: 'Model',
    cell: ({ getValue }) => (
      <Text size="sm" fw={500} style={{ overflowWrap: 'anywhere' }}>
        {getValue()}
      </Text>
    ),
  }),
  column.accessor('size', { header: 'Memory', cell: ({ getValue }) => <Figure text={bytes(getValue())} /> }),
  column.accessor((model) => (model.size ? model.sizeVram / model.size : 0), {
    id: 'video',
    header: 'In VRAM',
    cell: ({ row: { original } }) => <Figure text={`${videoShare(original)} · ${bytes(original.sizeVram)}`} />,
  }),
  column.accessor((model) => model.contextLength ?? undefined, {
    id: 'context',
    header: 'Context',
    sortUndefined: 'last',
    cell: ({ row: { original } }) => (
      <Figure text={original.contextLength === null ? DASH : `${count(original.contextLength)} tokens`} />
    ),
  }),
  column.accessor('expiresAt', { header: 'Expiry', cell: ({ getValue }) => <Expiry at={getValue()} /> }),
])

function Expiry({ at }: { at: string }) {
  const now = useNow(5)
  const text = stays(at, now)
  return <Figure text={text} {...(text.startsWith('stays') && { title: utc(at) })} />
}

/** Models that an Ollama server holds in memory now. */
export const InMemory = ({ loaded, action }: { loaded: LoadedModelAnswer[]; action: ReactNode }) => (
  <Section title="In memory" aside={action}>
    {loaded.length ? (
      <DataTable
        label="Models in memory"
        columns={columns}
        data={loaded}
        rowId={(model) => model.name}
        minWidth={480}
      />
    ) : (
      <Text size="sm" c="dimmed" px="sm" pb="sm">
        Nothing is in memory. A model is loaded with its first request.
      </Text>
    )}
  </Section>
)
