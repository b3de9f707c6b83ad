import { Modal, Stack, Text } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { queries } from '../../../api/queries'
import type { ModelAnswer, ServerAnswer } from '../../../api/types'
import { DataTable } from '../../../components/data-table'
import { Empty } from '../../../components/empty'
import { Filter } from '../../../components/filter'
import { Loaded } from '../../../components/loaded'
import { bytes } from '../../../lib/format'
import { nameOf } from '../name'
import { columnsOf } from './columns'
import { type ManagedRow, rowsOf } from './rows'
import { useLoading } from './use-loading'

const FILTERED_FROM = 8
const MOST = 100

/** What is on an Ollama server and in its memory; loads and unloads it. */
export function ManageModels({
  server,
  opened,
  onClose,
}: {
  server: ServerAnswer | undefined
  opened: boolean
  onClose: () => void
}) {
  const phone = useMediaQuery('(max-width: 40em)')
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={server ? `Models of ${nameOf(server)}` : ''}
      closeButtonProps={{ 'aria-label': 'Close' }}
      fullScreen={phone}
      size={860}
      styles={{ title: { fontWeight: 600, overflowWrap: 'anywhere' } }}
    >
      {server && <Managed server={server} />}
    </Modal>
  )
}

function Managed({ server }: { server: ServerAnswer }) {
  const query = useQuery(queries.serverModels(server.id))
  return (
    <Loaded query={query} what="Models">
      {({ models }) =>
        models.length ? (
          <List server={server} models={models} />
        ) : (
          <Empty title="No models on this server yet">Pull one with Ollama itself, and it appears here.</Empty>
        )
      }
    </Loaded>
  )
}

function List({ server, models }: { server: ServerAnswer; models: ModelAnswer[] }) {
  const [filter, setFilter] = useState<string>()
  const { states, turn } = useLoading(server.id)
  // What was in memory when the list was opened stays first: a row must not leave the pointer that loads it.
  const [first] = useState(server.loadedModels)
  const rows = useMemo(
    () => rowsOf(models, server.loadedModels, states, first),
    [models, server.loadedModels, states, first],
  )
  const columns = useMemo(() => columnsOf(turn), [turn])
  const shown = filter ? rows.filter((row) => row.name.toLowerCase().includes(filter.toLowerCase())) : rows
  return (
    <Stack gap="sm">
      <Text size="sm" c="dimmed">
        {summary(server)}
      </Text>
      {models.length >= FILTERED_FROM && <Filter label="Filter models" value={filter} onChange={setFilter} />}
      <DataTable<ManagedRow>
        label={`Models of ${nameOf(server)}`}
        columns={columns}
        data={shown}
        rowId={(row) => row.name}
        minWidth={560}
        most={MOST}
        nothing={<Empty title="No model matches" />}
      />
    </Stack>
  )
}

function summary({ loadedModels }: ServerAnswer): string {
  if (!loadedModels.length)
    return 'Nothing is in memory. A model is loaded with its first request, or here before that.'
  const size = loadedModels.reduce((sum, model) => sum + model.size, 0)
  return `${loadedModels.length} in memory, ${bytes(size)}. Unloading ends no running request; the next one loads the model again.`
}
