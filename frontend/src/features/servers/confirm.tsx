import { Stack, Text } from '@mantine/core'
import { modals } from '@mantine/modals'
import { useInFlight } from '../../api/metrics'
import type { ServerAnswer } from '../../api/types'
import { nameOf } from './name'

/** Before a server is taken out of use: says what happens to what runs there. */
export const confirmDisable = (server: ServerAnswer, onConfirm: () => void) =>
  ask(server, `Disable ${nameOf(server)}?`, 'Disable', 'It gets no new requests until it is enabled again.', onConfirm)

export const confirmDelete = (server: ServerAnswer, onConfirm: () => void) =>
  ask(
    server,
    `Delete ${nameOf(server)}?`,
    'Delete server',
    'It gets no new requests. Its settings and its key are gone; what is on the server itself stays as it is.',
    onConfirm,
  )

function ask(server: ServerAnswer, title: string, does: string, says: string, onConfirm: () => void) {
  modals.openConfirmModal({
    title,
    children: (
      <Stack gap="xs">
        <Text size="sm">{says}</Text>
        <Running server={server} />
      </Stack>
    ),
    labels: { confirm: does, cancel: 'Cancel' },
    confirmProps: { color: 'red.9' },
    // A key that is pressed too early must do no harm.
    cancelProps: { 'data-autofocus': true },
    closeButtonProps: { 'aria-label': 'Close' },
    styles: { title: { fontWeight: 600, overflowWrap: 'anywhere' } },
    onConfirm,
  })
}

function Running({ server }: { server: ServerAnswer }) {
  const count = useInFlight(server.id, server.inFlight)
  return (
    <Text size="sm">
      {count === 0
        ? 'No request runs there now.'
        : `${count === 1 ? 'The request that runs' : `The ${count} requests that run`} there now ${count === 1 ? 'goes' : 'go'} on to the end.`}
    </Text>
  )
}
