import { expect, it } from 'vitest'
import { aPoint } from '../../test/points'
import { anAttempt, aRequest } from '../../test/requests'
import { errorsOf } from '../overview/figures'
import { isFiltered, matcher, secondsOf } from './filter'

const ok = aRequest({ id: 'ok' })
const broken = aRequest({ id: 'broken', failure: 'truncated', outcome: 'truncated', reason: 'Connection reset' })
const retried = aRequest({
  id: 'retried',
  server: 'attic',
  dialect: 'openai',
  model: 'Qwen3:latest',
  durationSeconds: 9,
  attempts: [anAttempt({ server: 'cellar', outcome: 'connectError' }), anAttempt({ server: 'attic' })],
})
const found = (search: Parameters<typeof matcher>[0]) =>
  [ok, broken, retried].filter(matcher(search)).map(({ id }) => id)

it('lets everything through without filters', () => {
  expect(found({})).toEqual(['ok', 'broken', 'retried'])
  expect([isFiltered({}), isFiltered({ view: 'log', id: 'x' }), isFiltered({ q: 'x' })]).toEqual([false, false, true])
})

it('knows results: answered, failed in any way, failed in one way', () => {
  expect(found({ result: 'ok' })).toEqual(['ok', 'retried'])
  expect(found({ result: 'failed' })).toEqual(['broken'])
  expect(found({ result: 'truncated' })).toEqual(['broken'])
  expect(found({ result: 'timeout' })).toEqual([])
})

it('leaves for errors just what is counted as one', () => {
  const failures = ['serverError', 'clientGone', 'cancelled', 'timeout'] as const
  const rows = failures.map((failure) => aRequest({ failure }))
  const left = rows.filter(matcher({ result: 'error' })).map(({ failure }) => failure)
  expect(left).toEqual(['serverError', 'timeout'])
  const point = aPoint(1, { errors: { serverError: 1, clientGone: 1, cancelled: 1, timeout: 1 } })
  expect(errorsOf(point)).toBe(left.length)
})

it('finds a request by any server that was asked', () => {
  expect(found({ server: 'cellar' })).toEqual(['retried'])
  expect(found({ server: 'attic' })).toEqual(['retried'])
})

it('finds a model however its name is spelt', () => {
  expect(found({ model: 'qwen3' })).toEqual(['retried'])
  expect(found({ model: 'qwen' })).toEqual([])
})

it('looks for text in any case and in several members', () => {
  expect(found({ q: 'RESET' })).toEqual(['broken'])
  expect(found({ q: 'cellar' })).toEqual(['retried'])
  expect(found({ q: '10.0.0' })).toHaveLength(3)
})

it('combines filters', () => {
  expect(found({ dialect: 'openai', slower: '5' })).toEqual(['retried'])
  expect(found({ dialect: 'ollama', slower: '5' })).toEqual([])
})

it('ignores a duration that is none', () => {
  expect([secondsOf('soon'), secondsOf('-1'), secondsOf(''), secondsOf(undefined)]).toEqual([null, null, null, null])
  expect([secondsOf('0.5'), secondsOf(0)]).toEqual([0.5, 0])
  expect(found({ slower: 'soon' })).toHaveLength(3)
})
