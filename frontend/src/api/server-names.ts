import { useQuery } from '@tanstack/react-query'
import { queries } from './queries'
import type { ServerAnswer } from './types'

export type Names = Readonly<Record<string, string>>

/** What servers are called, by id; the same object until a name changes. */
export function useServerNames(): Names {
  return useQuery({ ...queries.servers(), select: namesOf }).data ?? NONE
}

const NONE: Names = {}
const namesOf = (servers: ServerAnswer[]): Names =>
  Object.fromEntries(servers.map((server) => [server.id, server.name || server.id]))
