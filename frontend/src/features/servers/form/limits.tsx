import { Group, NumberInput, SimpleGrid, Switch, TagsInput } from '@mantine/core'
import type { ServerFormState } from './use-server-form'

export const Limits = ({ form }: { form: ServerFormState }) => (
  <>
    <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
      <NumberInput
        label="Requests at a time"
        placeholder="No limit"
        min={1}
        allowDecimal={false}
        allowNegative={false}
        {...form.getInputProps('maxConcurrency')}
      />
      <TagsInput
        label="Tags"
        placeholder={form.values.tags.length ? undefined : 'Type one, then Enter'}
        {...form.getInputProps('tags')}
      />
    </SimpleGrid>
    <Group gap="lg">
      <Switch
        label="Enabled"
        description="Off: it gets no requests"
        {...form.getInputProps('enabled', { type: 'checkbox' })}
      />
    </Group>
  </>
)
