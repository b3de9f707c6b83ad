import { ActionIcon, Button, Fieldset, Group, PasswordInput, Stack, Text, TextInput } from '@mantine/core'
import { Plus, X } from 'lucide-react'
import { useRef } from 'react'
import { flushSync } from 'react-dom'
import { type Found, missingNote, Note } from './note'
import type { ServerFormState } from './use-server-form'
import { headerRow } from './values'

/** Headers that are sent with each request. Values are write-only; `env:NAME` is no secret and shown. */
export function HeadersField({ form, found }: { form: ServerFormState; found: Found }) {
  const box = useRef<HTMLFieldSetElement>(null)
  // The button that was pressed is gone then: the focus goes to the one of the next header, after the last one to the button that adds.
  const remove = (at: number) => {
    flushSync(() => form.removeListItem('headers', at))
    const buttons = box.current?.querySelectorAll<HTMLElement>('[data-after-removal]')
    buttons?.[at]?.focus()
  }
  return (
    <Fieldset ref={box} legend="Extra headers" p="sm" pt={4}>
      <Stack gap="xs" align="flex-start">
        <Text size="xs" c="dimmed">
          Sent with every request to this server. env:NAME as a value reads that environment variable.
        </Text>
        {form.values.headers.map((row, at) => (
          <Group key={row.key} gap="xs" align="flex-start" wrap="nowrap" w="100%">
            <Group gap="xs" align="flex-start" flex={1}>
              <TextInput
                flex="2 1 130px"
                miw={0}
                aria-label={`Name of header ${at + 1}`}
                placeholder="Name"
                autoComplete="off"
                readOnly={row.stored}
                {...form.getInputProps(`headers.${at}.name`)}
              />
              <PasswordInput
                flex="3 1 160px"
                miw={0}
                aria-label={`Value of header ${row.name || at + 1}`}
                placeholder={row.stored ? 'Stored; empty keeps it' : 'Value'}
                autoComplete="new-password"
                visibilityToggleButtonProps={{ 'aria-label': `Show the value of header ${at + 1}`, tabIndex: 0 }}
                {...(row.value.startsWith('env:') && { visible: true })}
                {...form.getInputProps(`headers.${at}.value`)}
              />
              <Missing value={row.value} found={found} />
            </Group>
            <ActionIcon
              variant="subtle"
              color="gray"
              size="input-sm"
              aria-label={`Remove header ${row.name || at + 1}`}
              data-after-removal
              onClick={() => remove(at)}
            >
              <X size={16} />
            </ActionIcon>
          </Group>
        ))}
        {form.errors.headers && (
          <Text size="xs" c="var(--mantine-color-error)" role="alert">
            {form.errors.headers}
          </Text>
        )}
        <Button
          variant="default"
          size="compact-sm"
          leftSection={<Plus size={14} />}
          data-after-removal
          onClick={() => form.insertListItem('headers', headerRow())}
        >
          Add header
        </Button>
      </Stack>
    </Fieldset>
  )
}

function Missing({ value, found }: { value: string; found: Found }) {
  const note = value.startsWith('env:') ? missingNote(value.slice(4).trim(), found) : null
  return note && <Note>{note}</Note>
}
