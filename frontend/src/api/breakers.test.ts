import { afterEach, expect, it, vi } from 'vitest'
import { aBreaker } from '../test/breakers'
import { breakerPath, changedAt, nextTryAt, told } from './breakers'

afterEach(() => void vi.useRealTimers())

it('keeps the moments of a breaker while time goes on', () => {
  vi.useFakeTimers({ now: 1_000_000 })
  const breaker = told(aBreaker({ state: 'open', changedSecondsAgo: 40, nextTrySeconds: 5 }))
  vi.setSystemTime(1_090_000)
  expect([changedAt(breaker), nextTryAt(breaker)]).toEqual([960, 1005])
})

it('knows no next try of a breaker that does not open by itself', () => {
  expect(nextTryAt(told(aBreaker({ nextTrySeconds: null })))).toBeNull()
})

it('addresses a model with a slash in its name, and a whole server', () => {
  expect(breakerPath({ server: 'gpu-1', model: 'library/llama3:8b' }, 'open')).toBe(
    '/breakers/gpu-1/library%2Fllama3%3A8b/open',
  )
  expect(breakerPath({ server: 'gpu-1', model: null }, 'reset')).toBe('/breakers/gpu-1/reset')
})
