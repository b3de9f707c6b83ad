import { notifications } from '@mantine/notifications'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { api } from '../../api/client'
import { refreshServers } from '../../api/queries'
import type { ServerAnswer } from '../../api/types'
import { statusOf } from '../../components/status'
import { dropServer, putServer } from './cache'
import { nameOf } from './name'

export type Action = 'check' | 'drain' | 'resume' | 'enable' | 'disable' | 'remove'

interface Doing {
  server: ServerAnswer
  action: Action
}

/** Does something to a server at once; tells the outcome in a corner. doing: what is under way. */
export function useServerActions(): { act: (doing: Doing) => void; doing: Action | null } {
  const client = useQueryClient()
  const { mutate, isPending, variables } = useMutation({
    mutationFn: ask,
    onSuccess: (answer, { server, action }) => {
      if (answer) putServer(client, answer)
      else dropServer(client, server.id)
      if (action !== 'check') void refreshServers(client)
      notifications.show({ message: outcome(action, answer ?? server) })
    },
    onError: (error, { server, action }) =>
      notifications.show({ color: 'red', title: `${nameOf(server)}: could not ${action}`, message: error.message }),
  })
  return { act: mutate, doing: isPending ? variables.action : null }
}

/** The server as it is afterwards; nothing when it is gone. */
function ask({ server, action }: Doing): Promise<ServerAnswer | undefined> {
  const path = `/servers/${encodeURIComponent(server.id)}`
  if (action === 'remove') return api(path, { method: 'DELETE' })
  if (action === 'enable' || action === 'disable')
    return api(path, { method: 'PATCH', json: { enabled: action === 'enable' } })
  return api(`${path}/${action}`, { method: 'POST' })
}

function outcome(action: Action, server: ServerAnswer): string {
  const name = nameOf(server)
  if (action === 'check') return `${name} checked: ${statusOf(server.status).word.toLowerCase()}${because(server)}`
  if (action === 'drain') return `${name} gets no new requests; running ones go on`
  return `${name} ${{ resume: 'takes requests again', enable: 'enabled', disable: 'disabled', remove: 'deleted' }[action]}`
}

const because = ({ status, statusReason }: ServerAnswer) =>
  status === 'healthy' || !statusReason ? '' : `, ${statusReason}`
