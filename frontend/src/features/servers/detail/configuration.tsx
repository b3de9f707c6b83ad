import { List, Stack, Text } from '@mantine/core'
import type { ServerAnswer } from '../../../api/types'
import { keyInWords } from '../../../components/status'
import { duration } from '../../../lib/format'
import { MASK } from '../form/values'
import { Facts } from './facts'
import { Section } from './section'

const TYPES = { auto: 'Detected automatically', ollama: 'Ollama', openai: 'OpenAI-compatible' }
const timeout = (seconds: number | null) => (seconds === null ? 'as set for the fleet' : duration(seconds))
const list = (texts: readonly string[], none: string) => (texts.length ? texts.join(', ') : none)
const yes = (value: boolean) => (value ? 'Yes' : 'No')

/** What is registered of the server. Secrets are only said to be there. */
export const Configuration = ({ server }: { server: ServerAnswer }) => (
  <Stack gap="sm">
    <Section title="As registered" padded>
      <Facts
        facts={[
          ['Id', server.id],
          ['Name', server.name],
          ['Base URL', server.url],
          ['Type', TYPES[server.type]],
          ['Key', keyInWords(server.apiKey)],
          ['Verify TLS certificate', yes(server.verifyTls)],
          ['Enabled', yes(server.enabled)],
          ['Draining', yes(server.draining)],
        ]}
      />
    </Section>
    <Section title="Limits and routing" padded>
      <Facts
        facts={[
          ['Requests at a time', server.maxConcurrency ?? 'no limit'],
          ['Priority', server.priority],
          ['Weight', server.weight],
          ['Tags', list(server.tags, '')],
          ['Models allowed', list(server.modelsAllow, 'all')],
          ['Models denied', list(server.modelsDeny, 'none')],
          ['Timeout: to connect', timeout(server.connectTimeoutSeconds)],
          ['Timeout: first token', timeout(server.firstEventTimeoutSeconds)],
          ['Timeout: whole answer', timeout(server.answerTimeoutSeconds)],
          ['Timeout: silence', timeout(server.idleTimeoutSeconds)],
        ]}
      />
    </Section>
    <Section title="Extra headers" padded>
      {Object.keys(server.headers).length ? (
        <List size="sm" listStyleType="none">
          {Object.entries(server.headers).map(([name, value]) => (
            <List.Item key={name}>
              <Text span size="sm" className="mono">
                {name}
              </Text>{' '}
              <Text span size="sm" c="dimmed">
                {value === MASK ? 'a value is set' : `from the variable ${value.slice('env:'.length)}`}
              </Text>
            </List.Item>
          ))}
        </List>
      ) : (
        <Text size="sm" c="dimmed">
          None.
        </Text>
      )}
    </Section>
  </Stack>
)
