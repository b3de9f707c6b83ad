import type { Breaker } from '../../api/breakers'
import type { Names } from '../../api/server-names'

export interface BreakerSearch {
  q?: string
  state?: Breaker['state']
  server?: string
}

const ORDER = ['open', 'half-open', 'closed'] as const

/** Those that the search leaves, by their state, the troubled ones first; a server's own before those of its models. */
export function groupsOf(breakers: readonly Breaker[], { q = '', state, server }: BreakerSearch, names: Names = {}) {
  const text = q.trim().toLowerCase()
  const left = breakers
    .filter((one) => (!state || one.state === state) && (!server || one.server === server))
    .filter(
      (one) =>
        !text ||
        `${one.server} ${names[one.server] ?? ''} ${one.model ?? ''} ${one.reason}`.toLowerCase().includes(text),
    )
    .sort(byName)
  return ORDER.map((one) => ({ state: one, breakers: left.filter((breaker) => breaker.state === one) }))
}

const byName = (a: Breaker, b: Breaker) =>
  compare(a.server, b.server) ||
  Number(a.model !== null) - Number(b.model !== null) ||
  compare(a.model ?? '', b.model ?? '')
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

/** None of them has seen a failure or was ever turned. */
export const isQuiet = (breakers: readonly Breaker[]) =>
  breakers.every((one) => one.state === 'closed' && !one.failures && !one.consecutiveFailures && !one.reason)

/** Counts move without a word on the stream, so they are asked for; seldom where there are very many. */
export const refetchSeconds = (breakers: readonly Breaker[]) => (breakers.length > 1000 ? 60 : 5)
