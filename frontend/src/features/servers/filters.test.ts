import { describe, expect, it } from 'vitest'
import { aServer } from '../../test/servers'
import { withServer } from './cache'
import { distinctModels, modelsText } from './counts'
import { filtered, tagsOf } from './filters'
import { lastResponseText } from './last-response'

const SERVERS = [
  aServer({ id: 'a', name: 'Attic', tags: ['eu', 'old'] }),
  aServer({ id: 'b', url: 'https://vllm.example', status: 'down', statusReason: 'connection refused', tags: ['us'] }),
  aServer({ id: 'c', status: 'degraded' }),
]
const ids = (search: Parameters<typeof filtered>[1]) => filtered(SERVERS, search).map(({ id }) => id)

describe('a filter of servers', () => {
  it.each([
    [{}, ['a', 'b', 'c']],
    [{ q: 'attic' }, ['a']],
    [{ q: ' VLLM ' }, ['b']],
    [{ q: 'refused' }, ['b']],
    [{ q: 'us' }, ['b']],
    [{ status: 'down' }, ['b']],
    [{ status: 'trouble' }, ['b']],
    [{ tag: 'eu' }, ['a']],
    [{ tag: 'eu', status: 'down' }, []],
  ])('%j leaves %j', (search, left) => expect(ids(search)).toEqual(left))
})

it('tags are told once each, in order', () => expect(tagsOf(SERVERS)).toEqual(['eu', 'old', 'us']))

it('a model that both lists tell counts once, however it is spelled', () => {
  expect(distinctModels({ models: ['a:latest', 'B'], v1Models: ['a', 'b', 'c'] })).toBe(3)
})

it.each([
  [{}, '1'],
  [{ models: [], v1Models: [] }, '0'],
  [{ models: [], v1Models: [], supportsOllama: false }, '0'],
  [{ models: [], v1Models: [], supportsOllama: false, supportsV1: false }, 'not known'],
  [{ status: 'configError' }, '1'],
])('of %j the models are %s', (some, text) => expect(modelsText(aServer(some))).toBe(text))

it.each([
  [{ lastResponseTime: 12.3, outcomes: {} }, '12 ms, check'],
  [{ lastResponseTime: 12.3, outcomes: { ok: 0, timeout: 3 } }, '12 ms, check'],
  [{ lastResponseTime: 8410, outcomes: { ok: 1 } }, '8.41 s, request'],
  [{ lastResponseTime: null }, '–'],
])('of %j the last response is %s', (some, text) => expect(lastResponseText(aServer(some))).toBe(text))

it('a server takes its place, a new one comes last', () => {
  const changed = aServer({ id: 'b', name: 'B' })
  expect(withServer(SERVERS, changed).map(({ id, name }) => [id, name])).toEqual([
    ['a', 'Attic'],
    ['b', 'B'],
    ['c', ''],
  ])
  expect(withServer(SERVERS, aServer({ id: 'd' })).at(-1)?.id).toBe('d')
})
