import { useEffect, useSyncExternalStore } from 'react'
import type {
  BreakerAnswer,
  Changed,
  EventAnswer,
  Hello,
  InFlightRows,
  ModelsChanged,
  PointAnswer,
  RequestRows,
  ServerRemoved,
  ServerState,
} from './types'

export type StreamState = 'connecting' | 'live' | 'paused' | 'lost'
export type Topic = 'metrics' | 'servers' | 'activity' | 'requests' | 'inflight'

/** Events of `/api/events` by their names. */
export interface Events {
  hello: Hello
  metrics: PointAnswer
  server: ServerState
  server_removed: ServerRemoved
  models: ModelsChanged
  breaker: BreakerAnswer
  requests: RequestRows
  inflight: InFlightRows
  event: EventAnswer
  changed: Changed
  resync: object
}

/** What the stream needs of the world, so that tests can give it another. */
export interface World {
  open: (url: string) => EventSource
  /** Is the session still good? Asked when the stream failed: EventSource gives up for good on any HTTP error. */
  signedIn: () => Promise<boolean>
  onSignedOut: () => void
  hidden: () => boolean
  random: () => number
}

export interface Snapshot {
  state: StreamState
  /** Unix seconds of the last event before the stream was lost (of when it was opened, if there was none); null while it is live or paused because nobody looks. */
  lostSince: number | null
  /** Seconds that the orchestrator's clock is ahead of ours. */
  offset: number
  /** Another build than the one that this page came with. */
  outdated: boolean
}

const ALWAYS: Topic[] = ['metrics', 'servers', 'activity']
/** Points come every second: this long without any event, the connection is dead and nobody said so (sleep, another network). */
const SILENCE_MS = 5_000
const CHECK_MS = 1_000
/** A new connection takes longer where the network is slow. */
const OPENING_MS = 15_000
const SESSION_MS = 10_000
/** How long data wait for the stream at most. */
const HELLO_MS = 1_000
const NAMES: (keyof Events)[] = [
  'hello',
  'metrics',
  'server',
  'server_removed',
  'models',
  'breaker',
  'requests',
  'inflight',
  'event',
  'changed',
  'resync',
]

/**
 * The one event stream of this tab. Closed while the tab is hidden (browsers allow six HTTP/1.1 connections per host);
 * reopened with growing, jittered pauses when it failed.
 */
export class Live {
  private snapshot: Snapshot = { state: 'connecting', lostSince: null, offset: 0, outdated: false }
  private readonly watchers = new Set<() => void>()
  private readonly handlers = new Map<keyof Events, Set<(payload: never) => void>>()
  private readonly topics = new Map<Topic, number>()
  private source: EventSource | null = null
  private timer: ReturnType<typeof setTimeout> | undefined
  private reopening: ReturnType<typeof setTimeout> | undefined
  private watchdog: ReturnType<typeof setInterval> | undefined
  private heardAt = 0
  private patience = OPENING_MS
  private tries = 0
  private build = ''
  private lastId = ''
  private started = false

  constructor(private readonly world: World) {}

  on<N extends keyof Events>(name: N, handler: (payload: Events[N]) => void): () => void {
    const handlers = this.handlers.get(name) ?? new Set()
    this.handlers.set(name, handlers.add(handler as (payload: never) => void))
    return () => void handlers.delete(handler as (payload: never) => void)
  }

  watch = (watcher: () => void) => {
    this.watchers.add(watcher)
    return () => void this.watchers.delete(watcher)
  }

  get = () => this.snapshot

  /** Wants a topic that is not always sent; the stream is opened anew where that changes anything. */
  want(topic: Topic): () => void {
    if (ALWAYS.includes(topic)) return () => {}
    this.topics.set(topic, (this.topics.get(topic) ?? 0) + 1)
    if (this.topics.get(topic) === 1) this.reopen()
    return () => {
      const left = (this.topics.get(topic) ?? 1) - 1
      if (left) this.topics.set(topic, left)
      else this.topics.delete(topic)
      if (!left) this.reopen()
    }
  }

  /** Resolves when the stream is live, or will not be at once: what is fetched after its hello misses no event. */
  settled(): Promise<void> {
    const isOpening = () => this.source !== null && this.snapshot.state === 'connecting'
    if (!isOpening()) return Promise.resolve()
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        end()
        resolve()
      }
      const timer = setTimeout(done, HELLO_MS)
      const end = this.watch(() => isOpening() || done())
    })
  }

  start(): () => void {
    this.started = true
    const onVisibility = () => (this.world.hidden() ? this.close('paused') : this.open())
    document.addEventListener('visibilitychange', onVisibility)
    window.addEventListener('online', this.retryNow)
    this.watchdog = setInterval(() => {
      if (this.source && Date.now() - this.heardAt > this.patience) this.failed(this.source)
    }, CHECK_MS)
    onVisibility()
    return () => {
      this.started = false
      clearInterval(this.watchdog)
      document.removeEventListener('visibilitychange', onVisibility)
      window.removeEventListener('online', this.retryNow)
      this.close('paused')
    }
  }

  /** Try at once instead of after the pause. */
  retryNow = () => {
    if (this.snapshot.state !== 'lost') return
    this.close('lost')
    this.open()
  }

  private reopen() {
    if (!this.source) return
    // In the next turn: a page that goes and one that comes may want the same.
    clearTimeout(this.reopening)
    this.reopening = setTimeout(() => {
      this.source?.close()
      this.source = null
      this.open()
    }, 0)
  }

  private url() {
    const topics = [...ALWAYS, ...this.topics.keys()].join(',')
    return `/api/events?topics=${topics}${this.lastId ? `&lastEventId=${encodeURIComponent(this.lastId)}` : ''}`
  }

  private open() {
    clearTimeout(this.timer)
    if (this.source || !this.started || this.world.hidden()) return
    if (this.snapshot.state === 'paused') this.set({ state: 'connecting' })
    const source = this.world.open(this.url())
    this.source = source
    this.heardAt = Date.now()
    this.patience = OPENING_MS
    source.onerror = () => this.failed(source)
    for (const name of NAMES)
      source.addEventListener(name, (message) => {
        if (source === this.source) this.heard(name, message as MessageEvent<string>)
      })
  }

  private heard(name: keyof Events, message: MessageEvent<string>) {
    this.heardAt = Date.now()
    this.patience = SILENCE_MS
    if (message.lastEventId) this.lastId = message.lastEventId
    const payload = JSON.parse(message.data)
    if (name === 'hello') this.greeted(payload)
    for (const handler of this.handlers.get(name) ?? []) handler(payload as never)
  }

  private greeted(hello: Hello) {
    this.tries = 0
    this.build ||= hello.build
    this.set({
      state: 'live',
      lostSince: null,
      offset: hello.time - Date.now() / 1000,
      outdated: hello.build !== this.build,
    })
  }

  private failed(source: EventSource) {
    if (source !== this.source) return
    this.shut()
    this.set({ state: 'lost', lostSince: this.snapshot.lostSince ?? this.heardAt / 1000 })
    const pause = Math.min(15_000, 1000 * 2 ** this.tries++) * (0.5 + this.world.random() / 2)
    this.timer = setTimeout(() => void this.again(), pause)
  }

  private async again() {
    const good = await this.world.signedIn()
    // Meanwhile the tab may have been hidden, or the stream stopped or opened by hand.
    if (this.snapshot.state !== 'lost' || this.source) return
    if (good) this.open()
    else {
      this.close('paused')
      this.world.onSignedOut()
    }
  }

  private close(state: StreamState) {
    this.shut()
    this.set({ state, lostSince: state === 'lost' ? this.snapshot.lostSince : null })
  }

  private shut() {
    clearTimeout(this.timer)
    clearTimeout(this.reopening)
    this.source?.close()
    this.source = null
  }

  private set(change: Partial<Snapshot>) {
    this.snapshot = { ...this.snapshot, ...change }
    for (const watcher of this.watchers) watcher()
  }
}

export const live = new Live({
  open: (url) => new EventSource(url),
  signedIn: async () => {
    try {
      const response = await fetch('/api/session', { signal: AbortSignal.timeout(SESSION_MS) })
      return (await response.json())?.signedIn !== false
    } catch {
      return true // nobody says that it is not
    }
  },
  onSignedOut: () => window.dispatchEvent(new Event('signed-out')),
  hidden: () => document.hidden,
  random: Math.random,
})

export const useLive = () => useSyncExternalStore(live.watch, live.get)

/** Unix seconds by the orchestrator's clock. */
export const serverNow = () => Date.now() / 1000 + live.get().offset

/** While mounted, this topic is sent too. */
export function useTopic(topic: Topic, wanted = true) {
  useEffect(() => (wanted ? live.want(topic) : undefined), [topic, wanted])
}

/** While mounted, the handler gets every event of this name. It must not change with every render. */
export function useEvent<N extends keyof Events>(name: N, handler: (payload: Events[N]) => void) {
  useEffect(() => live.on(name, handler), [name, handler])
}
