import { Badge, Group, Text, Tooltip } from '@mantine/core'
import { KeyRound } from 'lucide-react'
import type { ServerAnswer } from '../api/types'

/** How a status of a server looks and is called. The same everywhere. */
export const STATUSES: Record<string, { word: string; tone: string }> = {
  healthy: { word: 'Healthy', tone: 'ok' },
  degraded: { word: 'Degraded', tone: 'warn' },
  down: { word: 'Down', tone: 'bad' },
  draining: { word: 'Draining', tone: 'info' },
  disabled: { word: 'Disabled', tone: 'none' },
  warming: { word: 'Warming', tone: 'warn' },
  configError: { word: 'Wrong settings', tone: 'bad' },
  rateLimited: { word: 'Rate limited', tone: 'warn' },
  unknown: { word: 'Not probed yet', tone: 'none' },
}
/** What takes requests. All others are what "not up" means, on the overview and in the filter of servers. */
const UP = ['healthy', 'degraded']
export const isUp = ({ status }: Pick<ServerAnswer, 'status'>) => UP.includes(status)
export const statusOf = (status: string) => STATUSES[status] ?? { word: status, tone: 'none' }

export const Mark = ({ tone, word }: { tone: string; word: string }) => (
  <Group gap={6} wrap="nowrap">
    <span className="dot" data-tone={tone} aria-hidden="true" />
    <Text size="sm" span>
      {word}
    </Text>
  </Group>
)

export function StatusMark({ status }: { status: string }) {
  const { word, tone } = statusOf(status)
  return <Mark tone={tone} word={word} />
}

/** Whether a server could tell what it has: not before its first check, and not without the key or the settings that it wants. */
export const wasAsked = ({
  status,
  lastCheckTime,
}: Pick<ServerAnswer, 'status'> & Partial<Pick<ServerAnswer, 'lastCheckTime'>>) =>
  status !== 'unknown' && status !== 'configError' && lastCheckTime !== null
export const NOT_KNOWN = 'not known'

/** Which protocols a server speaks, as probes found them, and whether a key is set. */
export const Capabilities = ({
  server,
}: {
  server: Pick<ServerAnswer, 'supportsOllama' | 'supportsV1' | 'apiKey' | 'status'> &
    Partial<Pick<ServerAnswer, 'lastCheckTime'>>
}) => (
  <Group gap={4} wrap="nowrap" miw="max-content">
    {server.supportsOllama && <Capability name="Ollama" />}
    {server.supportsV1 && <Capability name="OpenAI" />}
    {!server.supportsOllama && !server.supportsV1 && (
      <Text size="xs" c="dimmed">
        {wasAsked(server) ? 'none found' : NOT_KNOWN}
      </Text>
    )}
    {server.apiKey && <KeyMark apiKey={server.apiKey} />}
  </Group>
)

export const Capability = ({ name }: { name: string }) => (
  <Badge size="sm" variant="default" style={{ flex: 'none' }}>
    {name}
  </Badge>
)

/** apiKey: as the API tells it, `env:NAME` or a mask. */
export const keyInWords = (apiKey: string | null) =>
  apiKey === null ? 'No key' : apiKey.startsWith('env:') ? `Key from the variable ${apiKey.slice(4)}` : 'A key is set'

function KeyMark({ apiKey }: { apiKey: string }) {
  const says = keyInWords(apiKey)
  return (
    <Tooltip label={says}>
      <KeyRound size={14} role="img" aria-label={says} />
    </Tooltip>
  )
}

export const BREAKER_STATES: Record<string, { word: string; tone: string }> = {
  closed: { word: 'Closed', tone: 'ok' },
  'half-open': { word: 'Half-open', tone: 'warn' },
  open: { word: 'Open', tone: 'bad' },
}
