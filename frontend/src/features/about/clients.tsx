import { Paper, SimpleGrid, Stack, Text, Title } from '@mantine/core'
import { Copyable } from '../../components/copyable'
import { quoted } from '../../lib/curl'

const CLIENTS = [
  { name: 'Ollama', base: '', models: '/api/tags' },
  { name: 'OpenAI', base: '/v1', models: '/models' },
]

/** Base URLs to point clients at, by their protocol. origin: of the orchestrator, as this browser reaches it. */
export const Clients = ({ origin }: { origin: string }) => (
  <Paper withBorder p="md" component="section" aria-labelledby="clients">
    <Title order={2} fz="sm" fw={600} id="clients">
      For clients
    </Title>
    <Text size="sm" c="dimmed" mb="sm">
      Point any Ollama or OpenAI client at its base URL; every model of the fleet is there under its name.
    </Text>
    <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="md">
      {CLIENTS.map(({ name, base, models }) => (
        <Stack key={name} gap={4}>
          <Text size="xs" c="dimmed">
            {name} base URL
          </Text>
          <Copyable label={`${name} base URL`} text={`${origin}${base}`} />
          <Text size="xs" c="dimmed" mt={4}>
            List the models
          </Text>
          <Copyable label={`${name} curl`} text={`curl ${quoted(`${origin}${base}${models}`)}`} />
        </Stack>
      ))}
    </SimpleGrid>
  </Paper>
)
