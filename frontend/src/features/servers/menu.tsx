import { ActionIcon, Menu } from '@mantine/core'
import { Boxes, Ellipsis, Pause, Pencil, Play, Power, RefreshCw, Trash2 } from 'lucide-react'
import { memo, useRef } from 'react'
import type { ServerAnswer } from '../../api/types'
import { useServerActions } from './actions'
import { confirmDelete, confirmDisable } from './confirm'
import type { OpenDialog } from './dialogs'
import { nameOf } from './name'
import { sameIn } from './same'

interface Props {
  server: ServerAnswer
  onOpen: OpenDialog
  /** After it was told to delete the server. */
  onDelete?: () => void
}

/** Everything that can be done to a server. */
export const ServerMenu = memo(function ServerMenu({ server, onOpen, onDelete }: Props) {
  const { act } = useServerActions()
  const target = useRef<HTMLButtonElement>(null)
  // Focus goes back to the button first, so that a dialog can return it there.
  const open = (does: () => void) => () => {
    target.current?.focus()
    does()
  }
  const remove = () => {
    act({ server, action: 'remove' })
    onDelete?.()
  }
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <ActionIcon ref={target} variant="subtle" color="gray" aria-label={`Actions for ${nameOf(server)}`}>
          <Ellipsis size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<Pencil size={14} />} onClick={open(() => onOpen('edit', server.id))}>
          Edit
        </Menu.Item>
        <Menu.Item leftSection={<RefreshCw size={14} />} onClick={() => act({ server, action: 'check' })}>
          Check now
        </Menu.Item>
        {server.supportsOllama && (
          <Menu.Item leftSection={<Boxes size={14} />} onClick={open(() => onOpen('models', server.id))}>
            Manage models
          </Menu.Item>
        )}
        <Menu.Divider />
        {server.draining ? (
          <Menu.Item leftSection={<Play size={14} />} onClick={() => act({ server, action: 'resume' })}>
            Resume
          </Menu.Item>
        ) : (
          <Menu.Item leftSection={<Pause size={14} />} onClick={() => act({ server, action: 'drain' })}>
            Drain
          </Menu.Item>
        )}
        {server.enabled ? (
          <Menu.Item
            leftSection={<Power size={14} />}
            onClick={open(() => confirmDisable(server, () => act({ server, action: 'disable' })))}
          >
            Disable
          </Menu.Item>
        ) : (
          <Menu.Item leftSection={<Power size={14} />} onClick={() => act({ server, action: 'enable' })}>
            Enable
          </Menu.Item>
        )}
        <Menu.Item
          c="var(--mantine-color-error)"
          leftSection={<Trash2 size={14} />}
          onClick={open(() => confirmDelete(server, remove))}
        >
          Delete
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}, isSame)

const sameServer = sameIn('id', 'name', 'enabled', 'draining', 'supportsOllama')

function isSame(before: Props, after: Props) {
  return sameServer(before, after) && before.onOpen === after.onOpen && before.onDelete === after.onDelete
}
