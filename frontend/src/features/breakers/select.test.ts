import { expect, it } from 'vitest'
import { told } from '../../api/breakers'
import type { BreakerAnswer } from '../../api/types'
import { nextTryText } from '../../components/next-try'
import { aBreaker } from '../../test/breakers'
import { groupsOf, isQuiet, refetchSeconds } from './select'

const breakers = [
  aBreaker({ server: 'b', model: 'qwen3:8b', state: 'open', reason: 'answered 500' }),
  aBreaker({ server: 'b', model: null }),
  aBreaker({ server: 'a', model: 'gemma3' }),
  aBreaker({ server: 'a', model: null, state: 'half-open' }),
].map(told)
const left = (search: Parameters<typeof groupsOf>[1], names = {}) =>
  groupsOf(breakers, search, names).flatMap((group) => group.breakers.map((one) => `${one.server} ${one.model}`))

it('puts open ones first, then half-open, then closed, each by server and model', () => {
  expect(groupsOf(breakers, {}).map((group) => [group.state, group.breakers.length])).toEqual([
    ['open', 1],
    ['half-open', 1],
    ['closed', 2],
  ])
  expect(left({})).toEqual(['b qwen3:8b', 'a null', 'a gemma3', 'b null'])
})

it("puts a server's own before those of its models", () => {
  const own = [aBreaker({ server: 'a', model: 'x' }), aBreaker({ server: 'a', model: null })].map(told)
  expect(groupsOf(own, {})[2]?.breakers.map((one) => one.model)).toEqual([null, 'x'])
})

it('filters by text of model, server, its name and the reason, by state and by server', () => {
  expect(left({ q: 'QWEN' })).toEqual(['b qwen3:8b'])
  expect(left({ q: 'answered 5' })).toEqual(['b qwen3:8b'])
  expect(left({ q: 'attic' }, { b: 'Attic' })).toEqual(['b qwen3:8b', 'b null'])
  expect(left({ state: 'closed' })).toEqual(['a gemma3', 'b null'])
  expect(left({ server: 'a', state: 'closed' })).toEqual(['a gemma3'])
})

it('is quiet only where nothing failed and nobody turned anything', () => {
  expect(isQuiet([aBreaker(), aBreaker({ requests: 9 })].map(told))).toBe(true)
  expect(isQuiet([told(aBreaker({ failures: 1, requests: 9 }))])).toBe(false)
  expect(isQuiet([told(aBreaker({ reason: 'closed by an operator' }))])).toBe(false)
  expect(isQuiet([told(aBreaker({ state: 'open' }))])).toBe(false)
})

it('asks seldom where there are very many', () => {
  expect([refetchSeconds(breakers), refetchSeconds(Array(1001).fill(breakers[0]))]).toEqual([5, 60])
})

it.each<[string, Partial<BreakerAnswer>, string]>([
  ['an operator opened', { state: 'open', forced: true }, 'When somebody closes it'],
  ['is half-open', { state: 'half-open' }, 'One request at a time'],
  ['is closed', {}, '–'],
  ['opened just now', { state: 'open', nextTrySeconds: 4.2 }, 'Due in 5 s'],
  ['stays open for long', { state: 'open', nextTrySeconds: 160 }, 'Due in 2 m 40 s'],
  ['is due', { state: 'open', nextTrySeconds: 0 }, 'With the next request'],
])('tells the next try of one that %s', (_, some, text) => {
  expect(nextTryText({ ...aBreaker(some), toldAt: 1000 }, 1000)).toBe(text)
})

it('counts down from the moment that was told', () => {
  const breaker = { ...aBreaker({ state: 'open', nextTrySeconds: 10 }), toldAt: 1000 }
  expect([1000, 1004.5, 1009.9, 1010].map((now) => nextTryText(breaker, now))).toEqual([
    'Due in 10 s',
    'Due in 6 s',
    'Due in 1 s',
    'With the next request',
  ])
})
