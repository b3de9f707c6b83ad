import type { ServerAnswer } from '../../api/types'
import { isUp } from '../../components/status'

export interface ServerSearch {
  q?: string
  status?: string
  tag?: string
}

/** Those servers that a filter leaves. q: in name, id, URL, tags, kind or a reason. */
export function filtered(servers: ServerAnswer[], { q, status, tag }: ServerSearch): ServerAnswer[] {
  const text = q?.trim().toLowerCase()
  return servers.filter(
    (server) =>
      (!status || isIn(server, status)) &&
      (!tag || server.tags.includes(tag)) &&
      (!text || textsOf(server).some((one) => one.toLowerCase().includes(text))),
  )
}

/** `trouble` is every server that is not up, as the overview counts them. */
const isIn = (server: ServerAnswer, status: string) => (status === 'trouble' ? !isUp(server) : server.status === status)

const textsOf = ({ id, name, url, kind, tags, statusReason }: ServerAnswer) => [
  id,
  name,
  url,
  kind,
  statusReason,
  ...tags,
]

export const tagsOf = (servers: readonly ServerAnswer[]) =>
  [...new Set(servers.flatMap((server) => server.tags))].sort()
