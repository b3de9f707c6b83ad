import { NumberInput, SimpleGrid, Stack, Switch, TagsInput } from '@mantine/core'
import { HeadersField } from './headers-field'
import type { Found } from './note'
import type { ServerFormState } from './use-server-form'

const TIMEOUTS = [
  { path: 'connectTimeoutSeconds', label: 'To connect', description: 'Until the connection stands' },
  { path: 'firstEventTimeoutSeconds', label: 'First token', description: 'Until a stream begins' },
  { path: 'answerTimeoutSeconds', label: 'Whole answer', description: 'Of a request without stream' },
  { path: 'idleTimeoutSeconds', label: 'Silence', description: 'Between two parts of a stream' },
] as const

export const Advanced = ({ form, found }: { form: ServerFormState; found: Found }) => (
  <Stack gap="sm" pt="xs">
    <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
      <NumberInput
        label="Priority"
        description="Lower ones are used first"
        allowDecimal={false}
        {...form.getInputProps('priority')}
      />
      <NumberInput
        label="Weight"
        description="Share of the requests among equal priority"
        step={0.5}
        min={0}
        {...form.getInputProps('weight')}
      />
      <TagsInput
        label="Models allowed"
        description="Patterns such as llama3*; none allows all"
        {...form.getInputProps('modelsAllow')}
      />
      <TagsInput
        label="Models denied"
        description="Patterns; they win over what is allowed"
        {...form.getInputProps('modelsDeny')}
      />
      {TIMEOUTS.map(({ path, label, description }) => (
        <NumberInput
          key={path}
          label={`Timeout: ${label.toLowerCase()}`}
          description={description}
          placeholder="As set for the fleet"
          suffix=" s"
          min={0}
          allowNegative={false}
          {...form.getInputProps(path)}
        />
      ))}
    </SimpleGrid>
    <HeadersField form={form} found={found} />
    <Switch
      label="Verify TLS certificate"
      description="Off only for a certificate that you know and cannot replace"
      {...form.getInputProps('verifyTls', { type: 'checkbox' })}
    />
  </Stack>
)
