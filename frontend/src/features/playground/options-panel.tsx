import { NumberInput, type NumberInputProps, SimpleGrid, Stack, Textarea, TextInput } from '@mantine/core'
import { memo, useState } from 'react'
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
    from: options[name],
    onNumber: (value: number | null) => onChange({ ...options, [name]: value }),
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
        <NumberOption label="Temperature" min={0} max={2} step={0.1} decimalScale={2} {...number('temperature')} />
        <NumberOption label="Top p" min={0} max={1} step={0.05} decimalScale={3} {...number('topP')} />
        <NumberOption label="Max tokens" min={1} step={64} allowDecimal={false} {...number('maxTokens')} />
        <NumberOption label="Seed" allowDecimal={false} {...number('seed')} />
        {ollama && (
          <>
            <NumberOption
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

/** What is typed is kept as it is: `0.` is on the way to a number. */
function NumberOption({
  from,
  onNumber,
  ...rest
}: NumberInputProps & { from: number | null; onNumber: (value: number | null) => void }) {
  const [typed, setTyped] = useState<string | number>(from ?? '')
  return (
    <NumberInput
      placeholder="Server’s own"
      value={typed}
      onChange={(value) => {
        setTyped(value)
        onNumber(value === '' || !Number.isFinite(Number(value)) ? null : Number(value))
      }}
      {...rest}
    />
  )
}
