import { act, screen } from '@testing-library/react'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { live } from '../api/live'
import type { EventAnswer } from '../api/types'
import { show } from '../test/render'
import { type FakeSource, fakeSources } from '../test/stream'
import { Alerts, Announcer, isBad } from './announcer'

const event = (message: string, more: Partial<EventAnswer> = {}): EventAnswer => ({
  number: 1,
  time: Date.now() / 1000,
  kind: 'serverStatus',
  level: 'error',
  server: 'attic',
  model: null,
  message,
  ...more,
})

describe('alerts', () => {
  let said: string[]
  let alerts: Alerts
  beforeEach(() => {
    vi.useFakeTimers()
    said = []
    alerts = new Alerts(({ text }) => said.push(text))
  })
  afterEach(() => void vi.useRealTimers())

  it('are told at most one in five seconds, and none is forgotten', () => {
    alerts.add(event('a is down'))
    alerts.add(event('breaker of b opened', { level: 'warning' }))
    alerts.add(event('c is down'))
    expect(said).toEqual(['a is down'])
    vi.advanceTimersByTime(5000)
    expect(said).toEqual(['a is down', 'c is down; and 1 more'])
    vi.advanceTimersByTime(5000)
    alerts.add(event('d is down'))
    expect(said.at(-1)).toBe('d is down')
  })

  it('are not told after the end', () => {
    alerts.add(event('a is down'))
    alerts.add(event('b is down'))
    alerts.stop()
    vi.advanceTimersByTime(60_000)
    expect(said).toEqual(['a is down'])
  })
})

it.each([
  [{ level: 'error' }, true],
  [{ level: 'warning', kind: 'breaker' }, true],
  [{ level: 'info', kind: 'breaker' }, false],
  [{ level: 'warning', kind: 'serverStatus' }, false],
] as const)('of the kind and level %j it is told: %s', (more, told) => {
  expect(isBad(event('x', more))).toBe(told)
})

it('announces what goes wrong now, politely, but not what was missed long ago', async () => {
  const opened = fakeSources()
  const stop = live.start()
  show(<Announcer />)
  const log = await screen.findByRole('log', { name: 'Alerts' })
  const source = opened.at(-1) as FakeSource
  act(() => source.say('event', event('cellar is down', { time: Date.now() / 1000 - 120 })))
  expect(log).toBeEmptyDOMElement()
  act(() => source.say('event', event('attic is down: connection refused')))
  expect(log).toHaveTextContent('attic is down: connection refused')
  expect(log).toHaveAttribute('aria-live', 'polite')
  stop()
})
