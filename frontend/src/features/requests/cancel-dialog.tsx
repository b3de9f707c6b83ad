import { Button, Group, Modal, Stack, Text } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { notifications } from '@mantine/notifications'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../api/client'
import type { CancelAnswer, InFlightAnswer } from '../../api/types'

interface Props {
  request: InFlightAnswer
  /** It is on the list no longer, so there is no opener to give the focus back to. */
  gone: boolean
  onClose: () => void
  /** It is in flight no longer. */
  onDone: (request: InFlightAnswer) => void
}

/** Says what it does to the client and to the server, then does it. */
export function CancelDialog({ request, gone, onClose, onDone }: Props) {
  const [opened, setOpened] = useState(true)
  const phone = useMediaQuery('(max-width: 40em)')
  const cancel = useMutation({
    mutationFn: () => api<CancelAnswer>(`/requests/${encodeURIComponent(request.id)}/cancel`, { method: 'POST' }),
    onSuccess: ({ cancelled }) => {
      const message = cancelled > 1 ? `${cancelled} requests with this id were cancelled` : 'The request was cancelled'
      notifications.show({ message })
      onDone(request)
    },
    onError: (error) =>
      notifications.show({ color: 'red', title: 'The request was not cancelled', message: error.message }),
    onSettled: () => setOpened(false),
  })
  return (
    <Modal
      opened={opened}
      onClose={() => setOpened(false)}
      onExitTransitionEnd={onClose}
      returnFocus={!gone}
      title="Cancel this request?"
      closeButtonProps={{ 'aria-label': 'Close' }}
      fullScreen={phone}
    >
      <Stack gap="md">
        <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
          {request.model || request.path} for {request.client}
          {request.server && `, on ${request.server}`}. {effectOf(request)} Other requests go on.
        </Text>
        <Group justify="flex-end" gap="xs">
          <Button data-autofocus variant="default" onClick={() => setOpened(false)}>
            {request.phase === 'queued' ? 'Keep it waiting' : 'Keep it running'}
          </Button>
          <Button color="red.9" loading={cancel.isPending} onClick={() => cancel.mutate()}>
            Cancel the request
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}

const effectOf = ({ phase }: InFlightAnswer) =>
  phase === 'queued'
    ? 'The client gets an error, and the request leaves the queue.'
    : 'The client gets an error instead of the rest of its answer, and the server is freed at once.'
