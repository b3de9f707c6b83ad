import { Button, Group, SimpleGrid, Stack } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { queries } from '../../../api/queries'
import type { ModelAnswer, ModelsAnswer, ServerAnswer, V1ModelAnswer } from '../../../api/types'
import { DataTable } from '../../../components/data-table'
import { Empty } from '../../../components/empty'
import { Filter } from '../../../components/filter'
import { Loaded } from '../../../components/loaded'
import { InMemory } from './in-memory'
import { ollamaColumns, openAiColumns } from './model-columns'
import { Section } from './section'

const FILTERED_FROM = 12
const MOST = 100

interface Props {
  server: ServerAnswer
  filter: string | undefined
  onFilter: (filter: string | undefined) => void
  onManage: () => void
}

/** What is in memory, and both lists of models side by side. */
export function ServerModels({ server, filter, onFilter, onManage }: Props) {
  const query = useQuery(queries.serverModels(server.id))
  return (
    <Stack gap="sm">
      {server.supportsOllama && (
        <InMemory
          loaded={server.loadedModels}
          action={
            <Button size="compact-sm" variant="default" onClick={onManage}>
              Manage models
            </Button>
          }
        />
      )}
      <Loaded query={query} what="Models">
        {(models) => <Lists models={models} server={server} filter={filter} onFilter={onFilter} />}
      </Loaded>
    </Stack>
  )
}

function Lists({
  models: { models, v1Models },
  server,
  filter,
  onFilter,
}: Omit<Props, 'onManage'> & { models: ModelsAnswer }) {
  const ollama = useMemo(() => named(models, filter), [models, filter])
  const openAi = useMemo(() => named(v1Models, filter), [v1Models, filter])
  if (!models.length && !v1Models.length)
    return (
      <Section title="Models">
        <Empty title="No models known yet">
          {server.status === 'healthy'
            ? 'The server lists none.'
            : 'They are read when the server answers. See its status above.'}
        </Empty>
      </Section>
    )
  const nothing = <Empty title="No model matches" />
  return (
    <>
      {Math.max(models.length, v1Models.length) >= FILTERED_FROM && (
        <Group>
          <Filter label="Filter models" value={filter} onChange={onFilter} />
        </Group>
      )}
      <SimpleGrid cols={{ base: 1, lg: models.length && v1Models.length ? 2 : 1 }} spacing="sm">
        {models.length > 0 && (
          <Section title="Ollama’s list" aside={`${models.length} models · /api/tags`}>
            <DataTable
              label="Models in Ollama’s list"
              columns={ollamaColumns}
              data={ollama}
              rowId={nameOfModel}
              minWidth={440}
              most={MOST}
              nothing={nothing}
            />
          </Section>
        )}
        {v1Models.length > 0 && (
          <Section title="OpenAI’s list" aside={`${v1Models.length} models · /v1/models`}>
            <DataTable
              label="Models in OpenAI’s list"
              columns={openAiColumns}
              data={openAi}
              rowId={nameOfModel}
              minWidth={440}
              most={MOST}
              nothing={nothing}
            />
          </Section>
        )}
      </SimpleGrid>
    </>
  )
}

const nameOfModel = (model: { name: string }) => model.name

function named<M extends ModelAnswer | V1ModelAnswer>(models: M[], filter: string | undefined): M[] {
  const text = filter?.trim().toLowerCase()
  return text ? models.filter(({ name }) => name.toLowerCase().includes(text)) : models
}
