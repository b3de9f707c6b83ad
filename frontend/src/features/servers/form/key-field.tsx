import { Input, PasswordInput, SegmentedControl, Stack, Text, TextInput } from '@mantine/core'
import { useId } from 'react'
import type { ServerAnswer } from '../../../api/types'
import { type Found, missingNote, Note } from './note'
import type { ServerFormState } from './use-server-form'
import { isElsewhere, type KeyMode } from './values'

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

/** The key that the server asks for. A stored one is kept unless it is replaced. */
export function KeyField({ form, server, found }: { form: ServerFormState; server?: ServerAnswer; found: Found }) {
  const { keyMode, keyVariable } = form.values
  const id = useId()
  const isStored = server?.apiKey !== undefined && server.apiKey !== null && !server.apiKey.startsWith('env:')
  const missing = missingNote(keyVariable, found)
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
      {keyMode === 'variable' && missing && <Note>{missing}</Note>}
      <Text size="xs" c="dimmed">
        {SAYS[keyMode]}
      </Text>
      {keyMode === 'keep' && server && isElsewhere(form.values.url, server.url) && (
        <Note>The stored key will be sent to the new address.</Note>
      )}
    </Stack>
  )
}
