import { Modal } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import type { ServerAnswer } from '../../../api/types'
import { useLater } from '../../../components/use-later'
import { nameOf } from '../name'

const load = () => import('./form')

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
  // Opens with all that is in it: only then the first field gets the focus, and the opener gets it back.
  const form = useLater(load, opened)
  return (
    <Modal
      opened={opened && form !== null}
      onClose={onClose}
      title={server ? `Edit ${nameOf(server)}` : 'Add server'}
      closeButtonProps={{ 'aria-label': 'Close' }}
      fullScreen={phone}
      size={640}
      closeOnClickOutside={false}
      styles={{ title: { fontWeight: 600, overflowWrap: 'anywhere' } }}
    >
      {form && <form.ServerForm {...(server && { server })} onDone={onClose} />}
    </Modal>
  )
}
