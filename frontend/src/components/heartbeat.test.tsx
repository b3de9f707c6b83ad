import { screen } from '@testing-library/react'
import { describe, expect, it } from 'vitest'
import type { CheckAnswer } from '../api/types'
import { show } from '../test/render'
import { Heartbeat, summary } from './heartbeat'

const check = (time: number, some: Partial<CheckAnswer> = {}): CheckAnswer => ({
  time,
  status: 'healthy',
  reason: '',
  seconds: 0.02,
  ...some,
})

describe('checks in words', () => {
  it.each([
    [[], 'No checks yet'],
    [[check(1)], 'Last check: all answered'],
    [[check(1), check(2)], 'Last 2 checks: all answered'],
    [[check(1), check(2, { status: 'down', seconds: null })], 'Last 2 checks: 1 failed'],
    [[check(1, { status: 'configError' })], 'Last check: all failed'],
    [[check(1, { status: 'configError', seconds: null }), check(2)], 'Last 2 checks: 1 not asked'],
    [[check(1, { status: 'draining', seconds: null }), check(2)], 'Last 2 checks: 1 failed'],
    [[check(1, { status: 'draining' }), check(2, { status: 'draining' })], 'Last 2 checks: 2 draining'],
    [[check(1, { status: 'down' }), check(2, { status: 'degraded' }), check(3)], 'Last 3 checks: 1 failed, 1 degraded'],
  ])('of %j are %s', (checks, text) => expect(summary(checks)).toBe(text))
})

it('shows the newest on the right and places for those that were not made on the left', async () => {
  show(<Heartbeat slots={4} checks={[check(1, { status: 'down', seconds: null, reason: 'refused' }), check(2)]} />)
  const ticks = (await screen.findByRole('img', { name: 'Last 2 checks: 1 failed' })).children
  expect([...ticks].map((tick) => (tick as HTMLElement).dataset.tone)).toEqual(['none', 'none', 'bad', 'ok'])
  expect(ticks[2]).toHaveAttribute('title', expect.stringContaining('Down, no answer: refused'))
})

it('is flat where nothing was sent, but not where a key was refused', async () => {
  const refused = check(2, { status: 'configError' })
  show(
    <Heartbeat
      slots={2}
      checks={[check(1, { status: 'configError', seconds: null, reason: 'KEY is not set' }), refused]}
    />,
  )
  const ticks = (await screen.findByRole('img', { name: 'Last 2 checks: 1 failed, 1 not asked' })).children
  expect([...ticks].map((tick) => (tick as HTMLElement).dataset.tone)).toEqual(['none', 'bad'])
  expect(ticks[0]).toHaveAttribute('title', expect.stringContaining('Wrong settings, not asked: KEY is not set'))
})

it('shows no more than it has room for', async () => {
  show(<Heartbeat slots={3} checks={[1, 2, 3, 4, 5].map((time) => check(time))} />)
  expect((await screen.findByRole('img')).children).toHaveLength(3)
})

it('has a shape of its own for an answer while the server took no requests, other than for no check', async () => {
  show(<Heartbeat slots={3} checks={[check(1, { status: 'draining' }), check(2, { status: 'disabled' })]} />)
  const ticks = (await screen.findByRole('img', { name: 'Last 2 checks: 1 draining, 1 disabled' })).children
  expect([...ticks].map((tick) => (tick as HTMLElement).dataset.tone)).toEqual(['none', 'info', 'info'])
})
