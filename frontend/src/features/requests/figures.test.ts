import { describe, expect, it } from 'vitest'
import { anAttempt, aRequest } from '../../test/requests'
import { phasesOf, tokensPerSecond, tokensText } from './figures'

describe('tokens per second', () => {
  it('counts a stream from its first token on', () => expect(tokensPerSecond(aRequest())).toBeCloseTo(100))
  it('counts an answer in one piece from when it was asked for', () => {
    expect(tokensPerSecond(aRequest({ stream: false, firstEventSeconds: 1.05, connectedSeconds: 0.05 }))).toBeCloseTo(
      100,
    )
  })
  it('is unknown where the server counted nothing, the answer failed or took no time', () => {
    expect(tokensPerSecond(aRequest({ completionTokens: null }))).toBeNull()
    expect(tokensPerSecond(aRequest({ failure: 'truncated' }))).toBeNull()
    expect(tokensPerSecond(aRequest({ firstEventSeconds: 1.05 }))).toBeNull()
  })
})

it('shows a dash for tokens that nobody counted', () => {
  expect(tokensText(aRequest())).toBe('12 / 100')
  expect(tokensText(aRequest({ completionTokens: null }))).toBe('12 / –')
  expect(tokensText(aRequest({ promptTokens: null, completionTokens: null }))).toBe('–')
})

describe('the phases of a request', () => {
  const names = (row: Parameters<typeof phasesOf>[0]) => phasesOf(row).map(({ name }) => name)

  it('fill all of its time without a gap', () => {
    const phases = phasesOf(aRequest())
    expect(phases.map(({ from, to }) => [from, to])).toEqual([
      [0, 0.001],
      [0.001, 0.002],
      [0.002, 0.05],
      [0.05, 1.05],
    ])
    expect(names(aRequest())).toEqual(['Queued', 'Connecting', 'Waiting for the first token', 'Answering'])
  })
  it('end where the request failed', () => {
    const waiting = aRequest({ failure: 'timeout', firstEventSeconds: null, durationSeconds: 30 })
    expect(phasesOf(waiting).at(-1)).toMatchObject({ name: 'Waiting for the first token', from: 0.002, to: 30 })
    const queued = aRequest({ queuedSeconds: null, connectedSeconds: null, firstEventSeconds: null, attempts: [] })
    expect(phasesOf(queued)).toMatchObject([{ name: 'Queued', from: 0, to: 1.05 }])
  })
  it('say that earlier tries are in the time before', () => {
    const attempts = [anAttempt({ server: 'attic', endedSeconds: 0.4 }), anAttempt({ startedSeconds: 0.5 })]
    expect(names(aRequest({ attempts, queuedSeconds: 0.5, connectedSeconds: 0.5, firstEventSeconds: 0.6 }))[0]).toBe(
      'Queued and earlier tries',
    )
  })
  it('of an answer in one piece wait for the answer', () => {
    expect(names(aRequest({ stream: false }))).toContain('Waiting for the answer')
  })
})
