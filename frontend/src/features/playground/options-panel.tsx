import { NumberInput, SimpleGrid, Stack, Textarea, TextInput } from '@mantine/core'
import { memo } from 'react'
import type { Options } from './ask'

interface Props {
  options: Options
  onChange: (options: Options) => void
  /** Whether any model is asked in Ollama's API, which has two more. */
  ollama: boolean
}

/** What is left empty is the server's to choose. */
export const OptionsPanel = memo(function OptionsPanel({ options, onChange, ollama }: Props) {
  const number = (name: Exclude<keyof Options, 'system' | 'keepAlive'>) => ({
    value: options[name] ?? ('' as const),
    onChange: (value: string | number) => onChange({ ...options, [name]: typeof value === 'number' ? value : null }),
    placeholder: 'Server’s own',
  })
  return (
    <Stack gap="sm">
      <Textarea
        label="System prompt"
        autosize
        minRows={2}
        maxRows={8}
        value={options.system}
        onChange={(event) => onChange({ ...options, system: event.currentTarget.value })}
      />
      <SimpleGrid cols={2} spacing="sm" verticalSpacing="sm">
        <NumberInput label="Temperature" min={0} max={2} step={0.1} decimalScale={2} {...number('temperature')} />
        <NumberInput label="Top p" min={0} max={1} step={0.05} decimalScale={3} {...number('topP')} />
        <NumberInput label="Max tokens" min={1} step={64} allowDecimal={false} {...number('maxTokens')} />
        <NumberInput label="Seed" allowDecimal={false} {...number('seed')} />
        {ollama && (
          <>
            <NumberInput
              label="Context length"
              suffix=" tokens"
              min={1}
              step={1024}
              allowDecimal={false}
              {...number('contextLength')}
            />
            <TextInput
              label="Keep in memory"
              placeholder="Server’s own"
              description="As 5m or 2h; -1 is for ever"
              inputWrapperOrder={['label', 'input', 'description']}
              value={options.keepAlive}
              onChange={(event) => onChange({ ...options, keepAlive: event.currentTarget.value })}
            />
          </>
        )}
      </SimpleGrid>
    </Stack>
  )
})
