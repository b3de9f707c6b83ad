import { Alert, Group, List, Paper, Stack, Text, ThemeIcon } from '@mantine/core'
import { Check, Minus, X } from 'lucide-react'
import type { ConnectionAnswer, EndpointAnswer } from '../../../api/types'
import { Capabilities, StatusMark } from '../../../components/status'
import { duration, sentence } from '../../../lib/format'
import { distinctModels } from '../counts'
import type { Trial, useTrial } from './use-trial'

/** What the last test of the connection found. wanted: what a test would try now. */
export function Connection({ trial, wanted }: { trial: ReturnType<typeof useTrial>; wanted: Trial }) {
  const { data, tried, problem, isPending } = trial
  const isStale = JSON.stringify(tried) !== JSON.stringify(wanted)
  return (
    <div role="status" aria-label="Connection test">
      {isPending && (
        <Text size="sm" c="dimmed">
          Testing the connection…
        </Text>
      )}
      {problem && !isPending && (
        <Alert color="red" variant="outline" title="The connection could not be tested">
          {problem}
        </Alert>
      )}
      {data && !isPending && (
        <Paper withBorder p="sm">
          <Stack gap="xs">
            {isStale && (
              <Text size="xs" fw={600}>
                The form has changed since this test. Test again to be sure.
              </Text>
            )}
            <div style={{ opacity: isStale ? 0.85 : 1 }}>
              <Found found={data} />
            </div>
          </Stack>
        </Paper>
      )}
    </div>
  )
}

function Found({ found }: { found: ConnectionAnswer }) {
  return (
    <Stack gap="xs">
      <Group gap="sm">
        <StatusMark status={found.status} />
        <Capabilities server={{ ...found, apiKey: null }} />
        {(found.supportsOllama || found.supportsV1) && (
          <Text size="xs" c="dimmed" className="num">
            {facts(found)}
          </Text>
        )}
      </Group>
      {found.statusReason && (
        <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
          {sentence(found.statusReason)}
        </Text>
      )}
      <List spacing={4} size="sm" center listStyleType="none" aria-label="What was asked">
        {found.endpoints.map((endpoint) => (
          <Endpoint key={endpoint.path} endpoint={endpoint} well={found.status === 'healthy'} />
        ))}
      </List>
    </Stack>
  )
}

const countOf = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`

function facts(found: ConnectionAnswer): string {
  const kind = [found.kind, found.version].filter(Boolean).join(' ')
  const loaded = found.loadedModels.length ? `${found.loadedModels.length} in memory` : ''
  return [kind, countOf(distinctModels(found), 'model'), loaded, duration(found.seconds)].filter(Boolean).join(' · ')
}

/** well: one protocol is enough, so what the other one lacks is no fault. */
function Endpoint({ endpoint: { path, ok, seconds, says }, well }: { endpoint: EndpointAnswer; well: boolean }) {
  const [Icon, color, word] = ok
    ? ([Check, 'green.9', 'Found'] as const)
    : well
      ? ([Minus, 'gray.7', 'Not there'] as const)
      : ([X, 'red.9', 'Failed'] as const)
  return (
    <List.Item
      icon={
        <ThemeIcon size={18} radius="xl" color={color} role="img" aria-label={word}>
          <Icon size={12} />
        </ThemeIcon>
      }
    >
      <Text span ff="monospace" size="xs">
        {path}
      </Text>{' '}
      <Text span size="sm" style={{ overflowWrap: 'anywhere' }}>
        {says}
      </Text>{' '}
      {seconds !== null && (
        <Text span size="xs" c="dimmed" className="num">
          {duration(seconds)}
        </Text>
      )}
    </List.Item>
  )
}
