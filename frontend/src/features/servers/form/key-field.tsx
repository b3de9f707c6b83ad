import { Group, Input, PasswordInput, SegmentedControl, Stack, Text, TextInput } from '@mantine/core'
import { useId } from 'react'
import type { ConnectionAnswer, ServerAnswer } from '../../../api/types'
import { sentence } from '../../../lib/format'
import type { ServerFormState } from './use-server-form'
import type { KeyMode } from './values'

const NEW: { value: KeyMode; label: string }[] = [
  { value: 'none', label: 'None' },
  { value: 'enter', label: 'Enter a key' },
  { value: 'variable', label: 'Variable' },
]
const STORED: { value: KeyMode; label: string }[] = [
  { value: 'keep', label: 'Keep' },
  { value: 'enter', label: 'Replace' },
  { value: 'variable', label: 'Variable' },
  { value: 'none', label: 'Remove' },
]
const SAYS: Record<KeyMode, string> = {
  none: 'Requests are sent there without a key.',
  keep: 'A key is set. It is never shown.',
  enter: 'Stored encrypted, sent to this server only, never shown again.',
  variable: 'Read from the environment of the orchestrator whenever a request is sent.',
}

/** The key that the server asks for. A stored one is kept unless it is replaced. trial: what a test found. */
export function KeyField({
  form,
  server,
  trial,
}: {
  form: ServerFormState
  server?: ServerAnswer
  trial?: ConnectionAnswer
}) {
  const { keyMode, keyVariable } = form.values
  const id = useId()
  const isStored = server?.apiKey !== undefined && server.apiKey !== null && !server.apiKey.startsWith('env:')
  const missing = missingNote(keyVariable, trial ?? server)
  return (
    <Stack gap={6}>
      <Input.Wrapper label="Key" labelElement="div" labelProps={{ id }} error={form.errors.keyMode}>
        <SegmentedControl
          fullWidth
          size="xs"
          mt={2}
          aria-labelledby={id}
          data={isStored ? STORED : NEW}
          value={keyMode}
          onChange={(mode) => form.setFieldValue('keyMode', mode as KeyMode)}
        />
      </Input.Wrapper>
      {keyMode === 'enter' && (
        <PasswordInput
          aria-label="Key to send"
          placeholder="Key to send"
          autoComplete="new-password"
          visibilityToggleButtonProps={{ 'aria-label': 'Show the key', tabIndex: 0 }}
          {...form.getInputProps('keyValue')}
        />
      )}
      {keyMode === 'variable' && (
        <TextInput
          aria-label="Name of the environment variable"
          placeholder="GPU_KEY"
          autoComplete="off"
          leftSection={
            <Text size="xs" c="dimmed" ff="monospace">
              env:
            </Text>
          }
          leftSectionWidth={44}
          {...form.getInputProps('keyVariable')}
          onChange={(event) => form.setFieldValue('keyVariable', event.currentTarget.value.replace(/^env:/, ''))}
        />
      )}
      {keyMode === 'variable' && missing && (
        <Group gap={6} wrap="nowrap" role="status">
          <span className="dot" data-tone="warn" aria-hidden="true" />
          <Text size="xs">{missing}</Text>
        </Group>
      )}
      <Text size="xs" c="dimmed">
        {SAYS[keyMode]}
      </Text>
    </Stack>
  )
}

/** That the variable is missing, as a test or the last probe found; null where none did. */
export function missingNote(
  variable: string,
  found: { status: string; statusReason: string } | undefined,
): string | null {
  if (found?.status !== 'configError' || !variable) return null
  const words = found.statusReason.split(/[^A-Za-z0-9_]+/)
  return words.includes(variable) ? `${sentence(found.statusReason)}. Set it and restart the orchestrator.` : null
}
