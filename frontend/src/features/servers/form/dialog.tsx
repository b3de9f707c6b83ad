import { Modal } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import type { ServerAnswer } from '../../../api/types'
import { nameOf } from '../name'
import { ServerForm } from './form'

/** Adds a server, or edits the one given. What was typed is gone when it closes. */
export function ServerDialog({
  server,
  opened,
  onClose,
}: {
  server?: ServerAnswer
  opened: boolean
  onClose: () => void
}) {
  const phone = useMediaQuery('(max-width: 40em)')
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={server ? `Edit ${nameOf(server)}` : 'Add server'}
      closeButtonProps={{ 'aria-label': 'Close' }}
      fullScreen={phone}
      size={640}
      closeOnClickOutside={false}
      styles={{ title: { fontWeight: 600, overflowWrap: 'anywhere' } }}
    >
      <ServerForm {...(server && { server })} onDone={onClose} />
    </Modal>
  )
}
