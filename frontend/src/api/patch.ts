import type { QueryClient } from '@tanstack/react-query'
import { type Breaker, told } from './breakers'
import type { Events, Live } from './live'
import type {
  ActivityAnswer,
  BreakerAnswer,
  CheckAnswer,
  EventAnswer,
  HistoryAnswer,
  ServerAnswer,
  ServerHistoryAnswer,
  ServerState,
} from './types'

/** Many servers may learn at the same moment: one fetch for all. */
const STALE_PAUSE_MS = 1000
const SERVERS_PAUSE_MS = 500
const EVENTS_KEPT = 500
const CHECKS_KEPT = 30
const CHECKS_KEPT_OF_ONE = 720
/** Times of a check that differ by less are of the same one. */
const SAME_CHECK_SECONDS = 0.5

/** What events of the `servers` and `activity` topics keep fresh; see `followed`. */
const FOLLOWED = ['servers', 'breakers', 'activity']
/** What is told by events that are not sent again after a break. */
const NOT_RESUMED = ['history', 'requests']

/** Writes what the stream says into the cache of queries. Returns how to stop. */
export function connect(live: Live, client: QueryClient): () => void {
  let greeted = false
  const stale = new Stale(client)
  const states = new States(client)
  const ends: (() => void)[] = []
  const on = <N extends keyof Events>(name: N, handler: (payload: Events[N]) => void) =>
    ends.push(live.on(name, handler))
  on('hello', ({ resumed }) => {
    if (!greeted) refetchWhatWasEarlier(client)
    else if (resumed) for (const key of NOT_RESUMED) void client.invalidateQueries({ queryKey: [key] })
    else void client.invalidateQueries()
    greeted = true
  })
  on('resync', () => void client.invalidateQueries())
  on('server', (state) => states.add(state))
  on('server_removed', ({ id }) => {
    states.forget(id)
    client.setQueryData<ServerAnswer[]>(['servers'], (old) => old?.filter((server) => server.id !== id))
    client.setQueryData<Breaker[]>(['breakers'], (old) => old?.filter((breaker) => breaker.server !== id))
    stale.add(['models'])
  })
  on('models', ({ server }) => {
    for (const key of [['models'], ['servers'], ['server-models', server]]) stale.add(key)
  })
  on('breaker', (breaker) =>
    client.setQueryData<Breaker[]>(['breakers'], (old) => old && withBreaker(old, told(breaker))),
  )
  on('event', (event) => client.setQueryData<ActivityAnswer>(['activity'], (old) => old && withEvent(old, event)))
  on('changed', ({ what }) => {
    for (const key of [what, 'models', 'breakers']) stale.add([key])
  })
  return () => {
    stale.stop()
    states.stop()
    for (const end of ends) end()
  }
}

/** Between an answer of before the stream and its first event a change may have been missed. What is still awaited looks after itself. */
function refetchWhatWasEarlier(client: QueryClient) {
  for (const key of FOLLOWED)
    void client.invalidateQueries({ queryKey: [key], predicate: (query) => query.state.data !== undefined })
}

/** Keys to fetch anew, together after a pause. */
class Stale {
  private readonly keys = new Map<string, string[]>()
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly client: QueryClient) {}

  add(key: string[]) {
    this.keys.set(key.join(' '), key)
    this.timer ??= setTimeout(() => {
      this.timer = undefined
      for (const queryKey of this.keys.values()) void this.client.invalidateQueries({ queryKey })
      this.keys.clear()
    }, STALE_PAUSE_MS)
  }

  stop() {
    clearTimeout(this.timer)
  }
}

/** States of servers, which come in bursts, written as one change. */
class States {
  private waiting = new Map<string, ServerState>()
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly client: QueryClient) {}

  add(state: ServerState) {
    this.waiting.set(state.id, state)
    this.timer ??= setTimeout(() => {
      this.timer = undefined
      const states = this.waiting
      this.waiting = new Map()
      this.client.setQueryData<ServerAnswer[]>(['servers'], (old) => old && patched(old, states))
      this.client.setQueriesData<HistoryAnswer>({ queryKey: ['history'] }, (old) => old && withChecks(old, states))
      for (const state of states.values()) this.addCheck(state)
    }, SERVERS_PAUSE_MS)
  }

  private addCheck(state: ServerState) {
    this.client.setQueryData<ServerHistoryAnswer>(['server-history', state.id], (old) => {
      const checks = old && withCheck(old.checks, state, CHECKS_KEPT_OF_ONE)
      return checks && checks !== old.checks ? { ...old, checks } : old
    })
  }

  forget(id: string) {
    this.waiting.delete(id)
  }

  stop() {
    clearTimeout(this.timer)
  }
}

type ById = ReadonlyMap<string, ServerState>

export function patched(servers: ServerAnswer[], states: ById): ServerAnswer[] {
  return servers.map((server) => {
    const state = states.get(server.id)
    return state ? { ...server, ...state } : server
  })
}

/** The checks that these states are of, after those that are known. */
export function withChecks(history: HistoryAnswer, states: ById): HistoryAnswer {
  const found: Record<string, CheckAnswer[]> = {}
  for (const state of states.values()) {
    const before = history.checks[state.id] ?? []
    const after = withCheck(before, state, CHECKS_KEPT)
    if (after !== before) found[state.id] = after
  }
  return Object.keys(found).length ? { ...history, checks: { ...history.checks, ...found } } : history
}

/** The same array where the check of this state is known already. */
export function withCheck(checks: CheckAnswer[], state: ServerState, most: number): CheckAnswer[] {
  const time = state.lastCheckTime === null ? Number.NaN : Date.parse(state.lastCheckTime) / 1000
  const last = checks.at(-1)
  if (Number.isNaN(time) || (last && time < last.time + SAME_CHECK_SECONDS)) return checks
  const check = { time, status: state.status, reason: state.statusReason, seconds: state.checkSeconds }
  return [...checks, check].slice(-most)
}

export function withBreaker<B extends BreakerAnswer>(breakers: B[], breaker: B): B[] {
  const at = breakers.findIndex((one) => one.server === breaker.server && one.model === breaker.model)
  return at < 0 ? [...breakers, breaker] : breakers.with(at, breaker)
}

export function withEvent(activity: ActivityAnswer, event: EventAnswer): ActivityAnswer {
  if (activity.events.some((one) => one.number === event.number)) return activity
  return { events: [event, ...activity.events].slice(0, EVENTS_KEPT) }
}
