import type { QueryClient } from '@tanstack/react-query'
import { type Breaker, told } from './breakers'
import type { Live } from './live'
import type { ActivityAnswer, BreakerAnswer, EventAnswer, ServerAnswer, ServerState } from './types'

const MODELS_PAUSE = 1000
const EVENTS_KEPT = 500

/** Writes what the stream says into the cache of queries. Returns how to stop. */
export function connect(live: Live, client: QueryClient): () => void {
  let first = true
  let timer: ReturnType<typeof setTimeout> | undefined
  const stale = new Set<string>()
  const everything = () => void client.invalidateQueries()
  const ends = [
    live.on('hello', ({ resumed }) => {
      if (!first && !resumed) everything()
      first = false
    }),
    live.on('resync', everything),
    live.on('server', (state) => client.setQueryData<ServerAnswer[]>(['servers'], (old) => patched(old, state))),
    live.on('server_removed', ({ id }) => {
      client.setQueryData<ServerAnswer[]>(['servers'], (old) => old?.filter((server) => server.id !== id))
      client.setQueryData<Breaker[]>(['breakers'], (old) => old?.filter((breaker) => breaker.server !== id))
    }),
    live.on('models', ({ server }) => {
      // Many servers may learn at the same moment: one fetch for all.
      stale.add(server)
      timer ??= setTimeout(() => {
        timer = undefined
        void client.invalidateQueries({ queryKey: ['models'] })
        void client.invalidateQueries({ queryKey: ['servers'] })
        for (const id of stale) void client.invalidateQueries({ queryKey: ['server-models', id] })
        stale.clear()
      }, MODELS_PAUSE)
    }),
    live.on('breaker', (breaker) =>
      client.setQueryData<Breaker[]>(['breakers'], (old) => old && withBreaker(old, told(breaker))),
    ),
    live.on('event', (event) =>
      client.setQueryData<ActivityAnswer>(['activity'], (old) => old && withEvent(old, event)),
    ),
    live.on('changed', ({ what }) => void client.invalidateQueries({ queryKey: [what] })),
  ]
  return () => {
    clearTimeout(timer)
    for (const end of ends) end()
  }
}

export function patched(servers: ServerAnswer[] | undefined, state: ServerState): ServerAnswer[] | undefined {
  return servers?.map((server) => (server.id === state.id ? { ...server, ...state } : server))
}

export function withBreaker<B extends BreakerAnswer>(breakers: B[], breaker: B): B[] {
  const at = breakers.findIndex((one) => one.server === breaker.server && one.model === breaker.model)
  return at < 0 ? [...breakers, breaker] : breakers.with(at, breaker)
}

export function withEvent(activity: ActivityAnswer, event: EventAnswer): ActivityAnswer {
  if (activity.events.some((one) => one.number === event.number)) return activity
  return { events: [event, ...activity.events].slice(0, EVENTS_KEPT) }
}
