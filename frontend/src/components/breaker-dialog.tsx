import { Alert, Button, Group, Modal, Stack, Text } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { notifications } from '@mantine/notifications'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { type Breaker, breakerPath, told } from '../api/breakers'
import { api } from '../api/client'
import { withBreaker } from '../api/patch'
import type { BreakerAnswer } from '../api/types'
import { type Action, DONE, effectOf, nameOf, verbOf, wordOf } from './breaker-words'

interface Props {
  breaker: Breaker
  action: Action
  onClose: () => void
  onDone: () => void
}

/** Says what the action does, then does it. */
export function BreakerDialog({ breaker, action, onClose, onDone }: Props) {
  const [opened, setOpened] = useState(false)
  // Opens only once it is there: else it would not know where focus was and has to return to.
  useEffect(() => setOpened(true), [])
  const phone = useMediaQuery('(max-width: 40em)')
  const turn = useTurn(breaker, action, () => {
    setOpened(false)
    onDone()
  })
  return (
    <Modal
      opened={opened}
      onClose={() => setOpened(false)}
      onExitTransitionEnd={onClose}
      title={`${wordOf(action, breaker)} the breaker of ${nameOf(breaker)}?`}
      closeButtonProps={{ 'aria-label': 'Close' }}
      fullScreen={phone}
      styles={{ title: { overflowWrap: 'anywhere' } }}
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
          <Button variant="default" onClick={() => setOpened(false)}>
            Cancel
          </Button>
          <Button
            data-autofocus
            color={action === 'open' ? 'red.9' : undefined}
            loading={turn.isPending}
            onClick={() => turn.mutate()}
          >
            {verbOf(action, breaker)}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}

function useTurn(breaker: Breaker, action: Action, onDone: () => void) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: () => api<BreakerAnswer | BreakerAnswer[]>(breakerPath(breaker, action), { method: 'POST' }),
    onSuccess: (answer) => {
      client.setQueryData<Breaker[]>(['breakers'], (old) => old && [answer].flat().map(told).reduce(withBreaker, old))
      void client.invalidateQueries({ queryKey: ['models'] })
      notifications.show({ message: `Breaker of ${nameOf(breaker)} ${DONE[action]}` })
      onDone()
    },
  })
}
