import { Alert, Button, Group, Modal, Stack, Text } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { useEffect, useState } from 'react'
import type { Breaker } from '../api/breakers'
import { type Action, effectOf, nameOf, verbOf, wordOf } from './breaker-words'
import { useTurnBreaker } from './use-turn-breaker'

interface Props {
  breaker: Breaker
  action: Action
  serverName: string | undefined
  onClose: () => void
  onDone: () => void
}

/** Says what the action does, then does it. */
export function BreakerDialog({ breaker, action, serverName, onClose, onDone }: Props) {
  const [opened, setOpened] = useState(false)
  // Opens only once it is there: else it would not know where focus was and has to return to.
  useEffect(() => setOpened(true), [])
  const harms = action === 'open'
  const phone = useMediaQuery('(max-width: 40em)')
  const turn = useTurnBreaker(() => {
    setOpened(false)
    onDone()
  })
  return (
    <Modal
      opened={opened}
      onClose={() => setOpened(false)}
      onExitTransitionEnd={onClose}
      title={`${wordOf(action, breaker)} the breaker of ${nameOf(breaker, serverName)}?`}
      closeButtonProps={{ 'aria-label': 'Close' }}
      fullScreen={phone}
      styles={{ title: { fontWeight: 600, overflowWrap: 'anywhere' } }}
    >
      <Stack gap="md">
        <Text size="sm">{effectOf(action, breaker)}</Text>
        {breaker.model === null && <Text size="sm">It is done to the server itself and to each of its models.</Text>}
        {turn.error && (
          <Alert color="red" variant="outline" title="Nothing was changed">
            {turn.error.message}
          </Alert>
        )}
        <Group justify="flex-end" gap="xs">
          <Button data-autofocus={harms || undefined} variant="default" onClick={() => setOpened(false)}>
            Cancel
          </Button>
          <Button
            data-autofocus={!harms || undefined}
            color={harms ? 'red.9' : undefined}
            loading={turn.isPending}
            onClick={() => turn.mutate({ breaker, action, serverName })}
          >
            {verbOf(action, breaker)}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
