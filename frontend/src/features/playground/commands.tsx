import { Box, Stack, Text } from '@mantine/core'
import { memo } from 'react'
import { Copyable } from '../../components/copyable'
import { commandOf, type Target } from './ask'
import { type Conversation, isBusy, saidTo, useTurns } from './conversation'
import classes from './playground.module.css'

interface Props {
  conversation: Conversation
  targets: readonly Target[]
  prompt: string
}

/** What would be sent now, for each model, as commands. */
export const Commands = memo(function Commands({ conversation, targets, prompt }: Props) {
  const all = useTurns(conversation)
  const turns = isBusy(all) ? all.slice(0, -1) : all
  return (
    <Stack gap="xs">
      {targets.map((target, side) => {
        const said = [...saidTo(turns, side), { role: 'user' as const, content: prompt.trim() || 'Hello' }]
        const label = targets.length > 1 ? `command for ${target.model}` : 'command'
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: a model may be compared with itself
          <Box className={classes.command} key={`${side} ${target.model}`}>
            <Text size="xs" c="dimmed" mb={2}>
              {targets.length > 1 ? `The same with curl, for ${target.model}` : 'The same with curl'}
            </Text>
            <Copyable text={commandOf(target, said, location.origin)} label={label} />
          </Box>
        )
      })}
    </Stack>
  )
})
