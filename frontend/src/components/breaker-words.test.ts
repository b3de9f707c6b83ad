import { describe, expect, it } from 'vitest'
import { aBreaker } from '../test/breakers'
import { countsOf, effectOf, nameOf, wordOf } from './breaker-words'

it('says that a breaker of a server stands for all its models', () => {
  expect(nameOf(aBreaker({ model: null }))).toBe('gpu-1 and all its models')
  expect(nameOf(aBreaker())).toBe('llama3.2:latest on gpu-1')
})

it('tells what was counted, and a dash where nothing was', () => {
  expect(countsOf(aBreaker({ requests: 20, failures: 3, consecutiveFailures: 3 }))).toBe(
    '3 of 20 failed in the last minute, 3 in a row',
  )
  expect(countsOf(aBreaker({ requests: 20 }))).toBe('0 of 20 failed in the last minute')
  expect(countsOf(aBreaker({ consecutiveFailures: 2 }))).toBe('2 in a row')
  expect(countsOf(aBreaker())).toBe('–')
})

it('holds open what is open already', () => {
  expect(wordOf('open', aBreaker({ state: 'open' }))).toBe('Hold open')
  expect(wordOf('open', aBreaker({ state: 'half-open' }))).toBe('Open')
})

describe('what an action does', () => {
  it('always says what happens to running requests', () => {
    for (const action of ['open', 'close', 'reset'] as const)
      expect(effectOf(action, aBreaker())).toMatch(/requests (that run there now go on|are not touched)/i)
  })
  it('says that a reset closes, but only where something may be open', () => {
    expect(effectOf('reset', aBreaker({ state: 'open' }))).toContain('closes')
    expect(effectOf('reset', aBreaker({ model: null }))).toContain('closes')
    expect(effectOf('reset', aBreaker())).not.toContain('closes')
  })
  it('tells of no difference between a reset and a close, as there is none', () => {
    for (const action of ['close', 'reset'] as const)
      expect(effectOf(action, aBreaker({ state: 'open' }))).toMatch(/its counts start over/i)
    expect(effectOf('reset', aBreaker({ state: 'open' }))).toContain('as with Close')
  })
})
