import { Box, Stack, Text } from '@mantine/core'
import { memo } from 'react'
import { Copyable } from '../../components/copyable'
import { commandOf, type Target } from './ask'
import { asking, type Conversation, useTurns } from './conversation'
import classes from './playground.module.css'

interface Props {
  conversation: Conversation
  targets: readonly Target[]
  prompt: string
}

const PLACEHOLDER = '<your message>'

/** The request that was sent last, to each model, as commands; before any, what would be sent now. */
export const Commands = memo(function Commands({ conversation, targets, prompt }: Props) {
  const turns = useTurns(conversation)
  const last = turns.at(-1) ?? { prompt: prompt.trim() || PLACEHOLDER, targets }
  return (
    <Stack gap="xs">
      {last.targets.map((target, side) => {
        const said = asking(turns.slice(0, -1), side, last.prompt)
        const label = last.targets.length > 1 ? `command for ${target.model}` : 'command'
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: a model may be compared with itself
          <Box className={classes.command} key={`${side} ${target.model}`}>
            <Text size="xs" c="dimmed" mb={2}>
              {last.targets.length > 1 ? `The same with curl, for ${target.model}` : 'The same with curl'}
            </Text>
            <Copyable text={commandOf(target, said, location.origin)} label={label} />
          </Box>
        )
      })}
    </Stack>
  )
})
