import { Button, Group, Textarea } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { Send, Square } from 'lucide-react'
import { type FormEvent, useRef } from 'react'
import type { Target } from './ask'
import { type Conversation, isBusy, useTurns } from './conversation'

interface Props {
  conversation: Conversation
  targets: readonly Target[]
  text: string
  onText: (text: string) => void
}

/** Enter sends, Shift and Enter make a new line. */
export function Composer({ conversation, targets, text, onText }: Props) {
  const area = useRef<HTMLTextAreaElement>(null)
  const phone = useMediaQuery('(max-width: 40em)')
  const busy = isBusy(useTurns(conversation))
  const send = () => {
    if (!text.trim() || busy) return
    onText('')
    void conversation.ask(text.trim(), targets)
  }
  return (
    <Group
      component="form"
      align="flex-end"
      wrap="nowrap"
      gap="xs"
      p="sm"
      style={{ borderTop: '1px solid var(--mantine-color-default-border)' }}
      onSubmit={(event: FormEvent) => {
        event.preventDefault()
        send()
        area.current?.focus()
      }}
    >
      <Textarea
        ref={area}
        flex={1}
        autosize
        minRows={1}
        maxRows={8}
        aria-label="Message"
        placeholder={phone ? 'Message' : 'Message. Enter sends, Shift Enter makes a new line'}
        value={text}
        onChange={(event) => onText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
          event.preventDefault()
          send()
        }}
      />
      {busy ? (
        <Button
          variant="default"
          leftSection={<Square size={14} />}
          onClick={() => {
            conversation.stop()
            area.current?.focus()
          }}
        >
          Stop
        </Button>
      ) : (
        <Button type="submit" leftSection={<Send size={14} />}>
          Send
        </Button>
      )}
    </Group>
  )
}
