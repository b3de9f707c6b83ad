import { NativeSelect, SimpleGrid, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { ServerFormState } from './use-server-form'
import { suggestedId } from './values'

const TYPES = [
  { value: 'auto', label: 'Detect automatically' },
  { value: 'ollama', label: 'Ollama' },
  { value: 'openai', label: 'OpenAI-compatible' },
]

/** Name, address, id and type. The id follows the name, else the address, until somebody writes another. */
export function Basics({ form, taken, isNew }: { form: ServerFormState; taken: string[]; isNew: boolean }) {
  const [ownId, setOwnId] = useState(false)
  const change = (path: 'name' | 'url', value: string) => {
    form.setFieldValue(path, value)
    if (!isNew || ownId) return
    const next = { ...form.getValues(), [path]: value }
    form.setFieldValue('id', suggestedId(next.name, next.url, taken))
  }
  return (
    <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
      <TextInput
        label="Name"
        placeholder="As it shall be called"
        autoComplete="off"
        data-autofocus
        {...form.getInputProps('name')}
        onChange={(event) => change('name', event.currentTarget.value)}
      />
      <TextInput
        label="Base URL"
        required
        type="url"
        autoComplete="off"
        placeholder="http://10.0.0.5:11434"
        {...form.getInputProps('url')}
        onChange={(event) => change('url', event.currentTarget.value)}
      />
      {isNew && (
        <TextInput
          label="Id"
          required
          autoComplete="off"
          description="In logs and the API. It cannot be changed later."
          inputWrapperOrder={['label', 'input', 'description', 'error']}
          {...form.getInputProps('id')}
          onChange={(event) => {
            setOwnId(event.currentTarget.value !== '')
            form.setFieldValue('id', event.currentTarget.value)
          }}
        />
      )}
      <NativeSelect label="Type" data={TYPES} {...form.getInputProps('type')} />
    </SimpleGrid>
  )
}
