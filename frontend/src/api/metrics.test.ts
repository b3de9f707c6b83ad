import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { inFlightOf, Metrics } from './metrics'
import type { PointAnswer } from './types'

const point = (time: number, more: Partial<PointAnswer> = {}) =>
  ({ time, stepSeconds: 1, inFlightByServer: {}, ...more }) as PointAnswer
const timesOf = (metrics: Metrics) => metrics.get().map(({ time }) => time)

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

it('keeps the last ten minutes', () => {
  const metrics = new Metrics()
  for (let time = 1; time <= 700; time++) metrics.add(point(time))
  expect(timesOf(metrics)).toHaveLength(600)
  expect(metrics.last()?.time).toBe(700)
})

it('takes a point once', () => {
  const metrics = new Metrics()
  for (const time of [1, 2, 2, 2.001, 1]) metrics.add(point(time))
  expect(timesOf(metrics)).toEqual([1, 2])
})

it('begins anew when the clock was set back far', () => {
  const metrics = new Metrics()
  for (const time of [1000, 1001, 500, 501]) metrics.add(point(time))
  expect(timesOf(metrics)).toEqual([500, 501])
})

it('puts the past before what came by the stream meanwhile', () => {
  const metrics = new Metrics()
  for (const time of [8, 9, 10]) metrics.add(point(time))
  metrics.fill([6, 7, 8, 9.001].map((time) => point(time)))
  expect(timesOf(metrics)).toEqual([6, 7, 8, 9.001, 10])
})

it('stays as it is when there is no past', () => {
  const metrics = new Metrics()
  metrics.add(point(8))
  metrics.fill([])
  expect(timesOf(metrics)).toEqual([8])
})

it('tells its watchers once per frame, however many points came', () => {
  const metrics = new Metrics()
  const watcher = vi.fn()
  const end = metrics.watch(watcher)
  for (const time of [1, 2, 3]) metrics.add(point(time))
  vi.advanceTimersByTime(50)
  expect(watcher).toHaveBeenCalledTimes(1)
  end()
  metrics.add(point(4))
  vi.advanceTimersByTime(50)
  expect(watcher).toHaveBeenCalledTimes(1)
})

it('knows what is in flight on a server unless that may be left out', () => {
  const busy = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`s${at}`, 5]))
  expect(inFlightOf(undefined, 'a', 3)).toBe(3)
  expect(inFlightOf(point(1, { inFlightByServer: { a: 2 } }), 'a', 3)).toBe(2)
  expect(inFlightOf(point(1, { inFlightByServer: { b: 2 } }), 'a', 3)).toBe(0)
  expect(inFlightOf(point(1, { inFlightByServer: busy }), 'a', 3)).toBe(3)
})
