import { QueryClient, QueryObserver } from '@tanstack/react-query'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FakeSource } from '../test/stream'
import { Live } from './live'
import { connect, withBreaker, withChecks, withEvent } from './patch'
import type { BreakerAnswer, EventAnswer, HistoryAnswer, ServerAnswer, ServerState } from './types'

const TIME = '2026-01-01T00:01:40.000Z'
const SECONDS = Date.parse(TIME) / 1000

const state = (more: Partial<ServerState> = {}): ServerState => ({
  id: 'attic',
  status: 'down',
  statusReason: 'connection refused',
  healthy: false,
  draining: false,
  enabled: true,
  supportsOllama: true,
  supportsV1: false,
  kind: 'ollama',
  version: '1',
  inFlight: 0,
  lastResponseTime: null,
  lastCheckTime: TIME,
  loadedModels: [],
  breakers: { closed: 1, open: 0, halfOpen: 0 },
  outcomes: {},
  checkSeconds: null,
  ...more,
})
const server = (id: string) => ({ id, name: id, url: `http://${id}`, status: 'healthy' }) as ServerAnswer
const breaker = (more: Partial<BreakerAnswer> = {}): BreakerAnswer => ({
  server: 'attic',
  model: null,
  state: 'open',
  forced: false,
  reason: 'HTTP 500',
  requests: 1,
  failures: 1,
  consecutiveFailures: 1,
  changedSecondsAgo: 0,
  nextTrySeconds: 5,
  ...more,
})
const event = (number: number) => ({ number, message: `${number}` }) as EventAnswer

let source: FakeSource
let client: QueryClient
let disconnect: () => void
let stop: () => void
let asked: string[]

beforeEach(() => {
  vi.useFakeTimers()
  client = new QueryClient()
  asked = []
  const live = new Live({
    open: (url) => {
      source = new FakeSource(url)
      return source as unknown as EventSource
    },
    signedIn: async () => true,
    onSignedOut: () => {},
    hidden: () => false,
    random: () => 0,
  })
  disconnect = connect(live, client)
  stop = live.start()
})
afterEach(() => {
  stop()
  disconnect()
  client.clear()
  vi.useRealTimers()
})

/** A page shows this query and has its answer. */
async function shown(key: string, data: unknown) {
  client.setQueryData([key], data)
  const observer = new QueryObserver(client, {
    queryKey: [key],
    queryFn: async () => {
      asked.push(key)
      return data
    },
    staleTime: Number.POSITIVE_INFINITY,
  })
  observer.subscribe(() => {})
}
const reconnect = async (resumed: boolean) => {
  source.fail()
  await vi.advanceTimersByTimeAsync(1000)
  source.hello({ resumed })
  await vi.advanceTimersByTimeAsync(0)
}

describe('states of servers', () => {
  it('that come in a burst are written as one change', async () => {
    client.setQueryData(['servers'], [server('attic'), server('cellar'), server('loft')])
    const before = client.getQueryState(['servers'])?.dataUpdateCount ?? 0
    source.say('server', state())
    source.say('server', state({ id: 'cellar', status: 'warming' }))
    await vi.advanceTimersByTimeAsync(500)
    const servers = client.getQueryData<ServerAnswer[]>(['servers'])
    expect(servers?.map(({ id, status }) => [id, status])).toEqual([
      ['attic', 'down'],
      ['cellar', 'warming'],
      ['loft', 'healthy'],
    ])
    expect(servers?.[0]?.url).toBe('http://attic')
    expect(client.getQueryState(['servers'])?.dataUpdateCount).toBe(before + 1)
  })

  it('do nothing to a list that was not fetched yet', async () => {
    source.say('server', state())
    await vi.advanceTimersByTimeAsync(500)
    expect(client.getQueryData(['servers'])).toBeUndefined()
  })

  it('do not bring back a server that was removed meanwhile', async () => {
    client.setQueryData(['servers'], [server('attic'), server('cellar')])
    client.setQueryData(['breakers'], [breaker(), breaker({ server: 'cellar' })])
    source.say('server', state())
    source.say('server_removed', { id: 'attic' })
    await vi.advanceTimersByTimeAsync(500)
    expect(client.getQueryData<ServerAnswer[]>(['servers'])?.map(({ id }) => id)).toEqual(['cellar'])
    expect(client.getQueryData<BreakerAnswer[]>(['breakers'])?.map((one) => one.server)).toEqual(['cellar'])
  })

  it('add their checks to what the overview and the page of the server know', async () => {
    client.setQueryData(['history', 300], { points: [], checks: {} })
    client.setQueryData(['server-history', 'attic'], { server: 'attic', checks: [] })
    source.say('server', state({ checkSeconds: 0.02 }))
    await vi.advanceTimersByTimeAsync(500)
    const check = { time: SECONDS, status: 'down', reason: 'connection refused', seconds: 0.02 }
    expect(client.getQueryData(['history', 300])).toEqual({ points: [], checks: { attic: [check] } })
    expect(client.getQueryData(['server-history', 'attic'])).toEqual({ server: 'attic', checks: [check] })
  })
})

describe('checks', () => {
  const history = (times: number[]): HistoryAnswer => ({
    points: [],
    checks: { attic: times.map((time) => ({ time, status: 'healthy', reason: '', seconds: 0.01 })) },
  })
  const grown = (before: HistoryAnswer, one: ServerState) => withChecks(before, new Map([[one.id, one]]))

  it('are not added twice', () => {
    const before = history([SECONDS - 10, SECONDS])
    expect(grown(before, state())).toBe(before)
    expect(grown(before, state({ lastCheckTime: null }))).toBe(before)
  })

  it('are bounded and keep the points as they are', () => {
    const before = history(Array.from({ length: 30 }, (_, at) => SECONDS - 300 + at * 10))
    const found = grown(before, state())
    expect(found.checks.attic).toHaveLength(30)
    expect(found.checks.attic?.at(-1)).toMatchObject({ time: SECONDS, status: 'down', seconds: null })
    expect(found.points).toBe(before.points)
  })
})

describe('after a break', () => {
  it('everything is fetched anew unless the stream went on where it was', async () => {
    source.hello()
    await shown('servers', [])
    await shown('history', {})
    await reconnect(false)
    expect(asked).toEqual(['servers', 'history'])
  })

  it('that the stream made up for, only what is not sent again is fetched', async () => {
    source.hello()
    await shown('servers', [])
    await shown('history', {})
    await shown('requests', {})
    await reconnect(true)
    expect(asked).toEqual(['history', 'requests'])
  })

  it('of which some events are lost, everything is fetched anew', async () => {
    source.hello()
    await shown('servers', [])
    source.say('resync', {})
    await vi.advanceTimersByTimeAsync(0)
    expect(asked).toEqual(['servers'])
  })
})

it('the first hello fetches only what may have changed since it was fetched', async () => {
  await shown('servers', [])
  await shown('history', {})
  source.hello()
  await vi.advanceTimersByTimeAsync(0)
  expect(asked).toEqual(['servers'])
})

it('many changes are fetched once', async () => {
  source.hello()
  await shown('servers', [])
  await shown('models', {})
  for (let at = 0; at < 50; at++) source.say('models', { server: `server-${at}` })
  source.say('changed', { what: 'servers' })
  await vi.advanceTimersByTimeAsync(1000)
  expect(asked.toSorted()).toEqual(['models', 'servers'])
})

it('a breaker that turns is written with the moment of it', () => {
  client.setQueryData(['breakers'], [breaker({ state: 'closed' })])
  source.say('breaker', breaker())
  expect(client.getQueryData(['breakers'])).toEqual([{ ...breaker(), toldAt: Date.now() / 1000 }])
})

it('a breaker is told apart by its server and model', () => {
  const own = breaker()
  const other = breaker({ model: 'llama3' })
  expect(withBreaker([own], other)).toEqual([own, other])
  expect(withBreaker([own, other], { ...other, state: 'closed' })).toEqual([own, { ...other, state: 'closed' }])
})

it('recent events are newest first, once each, and bounded', () => {
  const many = { events: Array.from({ length: 500 }, (_, at) => event(500 - at)) }
  const found = withEvent(many, event(501))
  expect(found.events).toHaveLength(500)
  expect(found.events[0]?.number).toBe(501)
  expect(withEvent(found, event(501))).toBe(found)
})

it('nothing is written after the end', async () => {
  client.setQueryData(['servers'], [server('attic')])
  source.say('server', state())
  disconnect()
  source.say('server_removed', { id: 'attic' })
  await vi.advanceTimersByTimeAsync(2000)
  expect(client.getQueryData<ServerAnswer[]>(['servers'])?.[0]?.status).toBe('healthy')
})
