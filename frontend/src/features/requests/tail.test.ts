import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { aRequest } from '../../test/requests'
import { KEPT, newSince, Tail } from './tail'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const ids = (tail: Tail) => tail.get().rows.map(({ id }) => id)
const row = (id: string, time = 1) => aRequest({ id, time })
const batch = (...names: string[]) => ({ requests: names.map((id) => row(id)), dropped: 0 })

it('puts what comes in front of what was fetched', () => {
  const tail = new Tail()
  tail.fill([row('b'), row('a')])
  tail.add(batch('d', 'c'))
  vi.runAllTimers()
  expect(ids(tail)).toEqual(['d', 'c', 'b', 'a'])
})

it('shows no request twice, but two that bear the same id', () => {
  const tail = new Tail()
  tail.fill([row('a', 1)])
  tail.add({ requests: [row('a', 2), row('a', 1)], dropped: 0 })
  vi.runAllTimers()
  expect(tail.get().rows.map(({ time }) => time)).toEqual([2, 1])
})

it('keeps what came by the stream while an older answer was on its way', () => {
  const tail = new Tail()
  tail.add(batch('old'))
  tail.beginFetch()
  tail.add(batch('c', 'b'))
  tail.fill([row('b'), row('a')])
  expect(ids(tail)).toEqual(['c', 'b', 'a'])
})

it('forgets with a fetch what the orchestrator no longer knows', () => {
  const tail = new Tail()
  tail.fill([row('of the run before')])
  tail.beginFetch()
  tail.fill([])
  expect(ids(tail)).toEqual([])
})

it('holds no more than the orchestrator keeps', () => {
  const tail = new Tail()
  tail.fill(Array.from({ length: KEPT }, (_, at) => row(`old ${at}`)))
  tail.add(batch('new'))
  vi.runAllTimers()
  expect([tail.get().rows.length, ids(tail)[0], ids(tail).at(-1)]).toEqual([KEPT, 'new', `old ${KEPT - 2}`])
})

it('tells its watchers at most four times a second, however much comes', () => {
  const tail = new Tail()
  const told = vi.fn()
  tail.watch(told)
  for (let at = 0; at < 100; at++) {
    tail.add(batch(`row ${at}`))
    vi.advanceTimersByTime(10)
  }
  expect(told).toHaveBeenCalledTimes(4)
})

it('counts what was not sent until all is fetched anew', () => {
  const tail = new Tail()
  tail.add({ requests: [row('a')], dropped: 30 })
  tail.add({ requests: [row('b')], dropped: 4 })
  vi.runAllTimers()
  expect(tail.get().dropped).toBe(34)
  tail.fill([row('b'), row('a')])
  expect(tail.get().dropped).toBe(0)
})

it('finds what is newer than a list of before', () => {
  const [c, b, a] = [row('c'), row('b'), row('a')]
  expect(newSince([c, b, a], [b, a])).toEqual([c])
  expect(newSince([c, b], [a])).toEqual([c, b])
  expect(newSince([c], [])).toEqual([c])
  expect(newSince([b, a], [b, a])).toEqual([])
})
