import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FakeSource } from '../test/stream'
import { Live } from './live'

let opened: FakeSource[]
let signedIn: boolean
let signedOut: number
let hidden: boolean
let live: Live
let stop: () => void

beforeEach(() => {
  vi.useFakeTimers()
  opened = []
  signedIn = true
  signedOut = 0
  hidden = false
  live = new Live({
    open: (url) => {
      const source = new FakeSource(url)
      opened.push(source)
      return source as unknown as EventSource
    },
    signedIn: async () => signedIn,
    onSignedOut: () => signedOut++,
    hidden: () => hidden,
    random: () => 1,
  })
  stop = live.start()
})
afterEach(() => {
  stop()
  vi.useRealTimers()
})

const newest = () => opened.at(-1) as FakeSource
const topicsOf = (source: FakeSource) => new URLSearchParams(source.url.split('?')[1]).get('topics')?.split(',')
const hide = (value: boolean) => {
  hidden = value
  document.dispatchEvent(new Event('visibilitychange'))
}

it('asks for the usual topics and is live once the orchestrator has said hello', () => {
  expect(topicsOf(newest())).toEqual(['metrics', 'servers', 'activity'])
  expect(live.get().state).toBe('connecting')
  newest().hello()
  expect(live.get()).toMatchObject({ state: 'live', lostSince: null, outdated: false })
})

it("tells how far the orchestrator's clock is ahead", () => {
  newest().say('hello', { build: 'one', time: Date.now() / 1000 + 90, resumed: false })
  expect(live.get().offset).toBeCloseTo(90)
})

it('gives every event to those who follow it until they end', () => {
  const heard: string[] = []
  const end = live.on('server_removed', ({ id }) => heard.push(id))
  newest().say('server_removed', { id: 'a' })
  end()
  newest().say('server_removed', { id: 'b' })
  expect(heard).toEqual(['a'])
})

describe('topics', () => {
  it('are wanted by opening the stream anew, where it left off', () => {
    newest().hello({}, 'boot-7')
    const end = live.want('requests')
    vi.runOnlyPendingTimers()
    expect(opened[0]?.closed).toBe(true)
    expect(topicsOf(newest())).toContain('requests')
    expect(newest().url).toContain('lastEventId=boot-7')
    end()
    vi.advanceTimersByTime(0)
    expect(topicsOf(newest())).not.toContain('requests')
  })

  it('that one page leaves and the next one wants cost one new stream', () => {
    const first = live.want('requests')
    vi.advanceTimersByTime(0)
    const before = opened.length
    first()
    live.want('inflight')
    live.want('requests')
    vi.advanceTimersByTime(0)
    expect(opened.length).toBe(before + 1)
    expect(topicsOf(newest())).toEqual(expect.arrayContaining(['requests', 'inflight']))
  })

  it('that are always sent change nothing', () => {
    live.want('metrics')()
    vi.advanceTimersByTime(0)
    expect(opened).toHaveLength(1)
  })
})

describe('a stream that failed', () => {
  it('is opened again after growing pauses of at most 15 s', async () => {
    const pauses: number[] = []
    for (let turn = 0; turn < 6; turn++) {
      const before = opened.length
      newest().fail()
      expect(live.get().state).toBe('lost')
      let waited = 0
      while (opened.length === before) {
        await vi.advanceTimersByTimeAsync(500)
        waited += 500
      }
      pauses.push(waited)
    }
    expect(pauses).toEqual([1000, 2000, 4000, 8000, 15_000, 15_000])
  })

  it('begins with the short pause again once it was live', async () => {
    for (let turn = 0; turn < 4; turn++) {
      newest().fail()
      await vi.advanceTimersByTimeAsync(15_000)
    }
    newest().hello()
    const before = opened.length
    newest().fail()
    await vi.advanceTimersByTimeAsync(1000)
    expect(opened.length).toBe(before + 1)
  })

  it('is lost since it first failed, until hello', async () => {
    newest().hello()
    const failedAt = Date.now() / 1000
    newest().fail()
    await vi.advanceTimersByTimeAsync(1000)
    newest().fail()
    expect(live.get().lostSince).toBeCloseTo(failedAt)
    await vi.advanceTimersByTimeAsync(2000)
    newest().hello()
    expect(live.get().lostSince).toBeNull()
  })

  it('leads to the sign-in page when the session has ended', async () => {
    newest().hello()
    signedIn = false
    newest().fail()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(signedOut).toBe(1)
    expect(opened).toHaveLength(1)
  })

  it('is tried at once when asked for, or when the network is back', async () => {
    newest().fail()
    live.retryNow()
    expect(opened).toHaveLength(2)
    newest().fail()
    window.dispatchEvent(new Event('online'))
    expect(opened).toHaveLength(3)
    await vi.advanceTimersByTimeAsync(1000)
    expect(opened).toHaveLength(3)
  })

  it('says nothing any more', () => {
    const removed = vi.fn()
    live.on('server_removed', removed)
    newest().fail()
    opened[0]?.say('server_removed', { id: 'a' })
    expect(removed).not.toHaveBeenCalled()
  })
})

describe('a silent stream', () => {
  it('is taken for dead, although the browser notices nothing', async () => {
    newest().hello()
    const heard = Date.now() / 1000
    await vi.advanceTimersByTimeAsync(4000)
    expect(live.get().state).toBe('live')
    await vi.advanceTimersByTimeAsync(2000)
    expect(opened[0]?.closed).toBe(true)
    expect(live.get()).toMatchObject({ state: 'lost', lostSince: heard })
  })

  it('has time to be opened', async () => {
    await vi.advanceTimersByTimeAsync(14_000)
    expect(opened[0]?.closed).toBe(false)
  })

  it('is one that never says hello, too', async () => {
    await vi.advanceTimersByTimeAsync(20_000)
    expect(opened[0]?.closed).toBe(true)
  })

  it('is not one that tells a point every second', async () => {
    newest().hello()
    for (let second = 0; second < 60; second++) {
      await vi.advanceTimersByTimeAsync(1000)
      newest().say('metrics', { time: second })
    }
    expect(live.get().state).toBe('live')
    expect(opened).toHaveLength(1)
  })
})

describe('a hidden tab', () => {
  it('closes its stream, for browsers allow few connections, and opens it when it is seen again', () => {
    newest().hello({}, 'boot-3')
    hide(true)
    expect(opened[0]?.closed).toBe(true)
    expect(live.get()).toMatchObject({ state: 'paused', lostSince: null })
    hide(false)
    expect(live.get().state).toBe('connecting')
    expect(newest().url).toContain('lastEventId=boot-3')
  })

  it('is not woken by a pause that was under way', async () => {
    newest().fail()
    hide(true)
    await vi.advanceTimersByTimeAsync(30_000)
    expect(opened).toHaveLength(1)
    expect(live.get().state).toBe('paused')
  })

  it('stays closed when it was hidden while the session was asked for', async () => {
    newest().fail()
    vi.advanceTimersByTime(1000)
    hide(true)
    await vi.runOnlyPendingTimersAsync()
    expect(opened).toHaveLength(1)
  })

  it('opens nothing for a topic', () => {
    hide(true)
    live.want('requests')
    vi.advanceTimersByTime(0)
    expect(opened).toHaveLength(1)
  })
})

it('notices another build than the one that it met first', async () => {
  newest().hello({ build: 'one' })
  newest().fail()
  await vi.advanceTimersByTimeAsync(1000)
  newest().hello({ build: 'two' })
  expect(live.get().outdated).toBe(true)
})

it('opens nothing after it was stopped', async () => {
  newest().fail()
  stop()
  await vi.advanceTimersByTimeAsync(60_000)
  hide(false)
  expect(opened).toHaveLength(1)
})

describe('whoever waits for the stream', () => {
  async function waited() {
    let over = false
    void live.settled().then(() => {
      over = true
    })
    await vi.advanceTimersByTimeAsync(0)
    return () => over
  }

  it('goes on with its hello', async () => {
    const isOver = await waited()
    expect(isOver()).toBe(false)
    newest().hello()
    await vi.advanceTimersByTimeAsync(0)
    expect(isOver()).toBe(true)
  })
  it('goes on at once when it fails, and when it does not come', async () => {
    const failing = await waited()
    newest().fail()
    await vi.advanceTimersByTimeAsync(0)
    expect(failing()).toBe(true)
    stop()
    stop = live.start()
    const late = await waited()
    expect(late()).toBe(false)
    await vi.advanceTimersByTimeAsync(1000)
    expect(late()).toBe(true)
  })
  it('does not wait while it is live or rests', async () => {
    newest().hello()
    expect((await waited())()).toBe(true)
    hide(true)
    expect((await waited())()).toBe(true)
  })
})
