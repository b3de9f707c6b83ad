import { notifications } from '@mantine/notifications'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { ApiError, api } from '../../../api/client'
import { refreshServers } from '../../../api/queries'
import type { ServerAnswer } from '../../../api/types'
import { statusOf } from '../../../components/status'
import { putServer } from '../cache'
import { nameOf } from '../name'
import { onField } from './errors'
import { bodyOf, changed, newServer, type Values, valuesOf } from './values'

/** Registers the server, or changes the one given by what differs. onRefused: what is wrong, by field. */
export function useSave(
  server: ServerAnswer | undefined,
  onDone: () => void,
  onRefused: (errors: Record<string, string>) => void,
) {
  const client = useQueryClient()
  const { mutate, isPending, error, variables } = useMutation({
    // What was sent may hold a key.
    gcTime: 0,
    mutationFn: (values: Values) => send(server, values),
    onSuccess: (answer) => {
      if (answer) {
        putServer(client, answer)
        void refreshServers(client)
        notifications.show({
          message: server ? `${nameOf(answer)} saved` : `${nameOf(answer)} added: ${found(answer)}`,
        })
      }
      onDone()
    },
    onError: (failure, values) => {
      const errors = failure instanceof ApiError && onField(failure, values)
      if (errors) onRefused(errors)
    },
  })
  const shown = error instanceof ApiError && variables && onField(error, variables) !== null
  return { mutate, isPending, problem: error && !shown ? error.message : null }
}

/** null where nothing was changed. */
async function send(server: ServerAnswer | undefined, values: Values): Promise<ServerAnswer | null> {
  if (!server) return api<ServerAnswer>('/servers', { method: 'POST', json: newServer(values) })
  const json = changed(bodyOf(values), bodyOf(valuesOf(server)))
  if (!Object.keys(json).length) return null
  return api<ServerAnswer>(`/servers/${encodeURIComponent(server.id)}`, { method: 'PATCH', json })
}

function found({ status, statusReason }: ServerAnswer): string {
  const word = statusOf(status).word.toLowerCase()
  return status === 'healthy' || !statusReason ? word : `${word}, ${statusReason}`
}
