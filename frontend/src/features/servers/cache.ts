import type { QueryClient } from '@tanstack/react-query'
import type { ServerAnswer } from '../../api/types'

/** The server as it was just told; one that is new comes last, as the orchestrator lists it. */
export function withServer(servers: ServerAnswer[], server: ServerAnswer): ServerAnswer[] {
  const at = servers.findIndex((one) => one.id === server.id)
  return at < 0 ? [...servers, server] : servers.with(at, server)
}

export const putServer = (client: QueryClient, server: ServerAnswer) =>
  client.setQueryData<ServerAnswer[]>(['servers'], (old) => old && withServer(old, server))

export const dropServer = (client: QueryClient, id: string) =>
  client.setQueryData<ServerAnswer[]>(['servers'], (old) => old?.filter((server) => server.id !== id))
