import { Box, SimpleGrid, Stack, Text, VisuallyHidden } from '@mantine/core'
import { memo, useEffect, useRef } from 'react'
import type { Names } from '../../api/server-names'
import { isOver } from './answer'
import { AnswerView } from './answer-view'
import { type Conversation, isBusy, type Turn, useTurns } from './conversation'

const NEAR = 40

/** The conversation, which keeps to its end while nobody has scrolled up. Screen readers are told when an answer has ended, not of each token. */
export function Turns({ conversation, names }: { conversation: Conversation; names: Names }) {
  const turns = useTurns(conversation)
  const box = useRef<HTMLDivElement>(null)
  const atEnd = useRef(true)
  // biome-ignore lint/correctness/useExhaustiveDependencies: whenever the conversation has grown
  useEffect(() => {
    if (box.current && atEnd.current) box.current.scrollTop = box.current.scrollHeight
  }, [turns])
  return (
    <>
      <Box
        ref={box}
        role="log"
        aria-label="Conversation"
        aria-live="off"
        aria-busy={isBusy(turns)}
        tabIndex={0}
        pos="relative"
        p="md"
        flex={1}
        mih={0}
        style={{ overflowY: 'auto' }}
        onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
          atEnd.current = scrollHeight - scrollTop - clientHeight < NEAR
        }}
      >
        {turns.length === 0 && (
          <Text size="sm" c="dimmed">
            Ask something. Under each answer stands which server gave it and how fast. The conversation is kept nowhere.
          </Text>
        )}
        <Stack gap="lg">
          {turns.map((turn) => (
            <OneTurn key={turn.number} turn={turn} names={names} />
          ))}
        </Stack>
      </Box>
      <VisuallyHidden role="status">{saidOf(turns)}</VisuallyHidden>
    </>
  )
}

const OneTurn = memo(function OneTurn({ turn, names }: { turn: Turn; names: Names }) {
  return (
    <Stack gap="sm">
      <div>
        <Text size="xs" fw={600} c="dimmed">
          You
        </Text>
        <Text size="sm" style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
          {turn.prompt}
        </Text>
      </div>
      <SimpleGrid cols={{ base: 1, sm: turn.answers.length }} spacing="lg">
        {turn.answers.map((answer, side) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the sides stay where they are
          <AnswerView key={side} answer={answer} names={names} />
        ))}
      </SimpleGrid>
    </Stack>
  )
})

/** For screen readers: how the last turn stands. */
export function saidOf(turns: readonly Turn[]): string {
  const answers = turns.at(-1)?.answers ?? []
  if (answers.some((one) => !isOver(one))) return 'Waiting for the answer'
  const words = { done: 'has answered', stopped: 'was stopped', failed: 'failed', waiting: '', answering: '' }
  return answers.map(({ model, state, error }) => `${model} ${words[state]}${error && `: ${error}`}`).join('. ')
}
