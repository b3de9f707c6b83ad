import { describe, expect, it } from 'vitest'
import { aServer } from '../../../test/servers'
import { check } from './schema'
import { bodyOf, changed, EMPTY, headerRow, MASK, newServer, suggestedId, trialOf, valuesOf } from './values'

const OLLAMA = { ...EMPTY, id: 'gpu-1', url: 'http://gpu-1:11434' }

describe('what is sent', () => {
  it('registers only what differs from the defaults', () => {
    expect(newServer({ ...OLLAMA, name: ' GPU 1 ', maxConcurrency: 4 })).toEqual({
      id: 'gpu-1',
      url: 'http://gpu-1:11434',
      name: 'GPU 1',
      maxConcurrency: 4,
    })
  })
  it('is nothing when a server was opened and not touched, whatever it holds', () => {
    const server = aServer({
      apiKey: MASK,
      headers: { 'X-Team': MASK, 'X-Key': 'env:TEAM_KEY' },
      maxConcurrency: 3,
      weight: 2.5,
      tags: ['a'],
      idleTimeoutSeconds: 12.5,
    })
    const values = valuesOf(server)
    expect(changed(bodyOf(values), bodyOf(valuesOf(server)))).toEqual({})
  })
  it('keeps, replaces or removes a stored key', () => {
    const values = valuesOf(aServer({ apiKey: MASK }))
    expect(values.keyMode).toBe('keep')
    expect(bodyOf(values).apiKey).toBe(MASK)
    expect(bodyOf({ ...values, keyMode: 'enter', keyValue: 'new' }).apiKey).toBe('new')
    expect(bodyOf({ ...values, keyMode: 'variable', keyVariable: 'KEY' }).apiKey).toBe('env:KEY')
    expect(bodyOf({ ...values, keyMode: 'none' }).apiKey).toBeNull()
  })
  it('shows a key from a variable by its name', () => {
    expect(valuesOf(aServer({ apiKey: 'env:GPU_KEY' }))).toMatchObject({ keyMode: 'variable', keyVariable: 'GPU_KEY' })
  })
  it('sends the mask for a stored header that was left alone, and leaves out one that was removed', () => {
    const values = valuesOf(aServer({ headers: { 'X-A': MASK, 'X-B': MASK } }))
    const headers = [...values.headers.slice(0, 1), headerRow('X-C', 'new')]
    expect(bodyOf({ ...values, headers }).headers).toEqual({ 'X-A': MASK, 'X-C': 'new' })
  })
  it('takes an empty number as null, the default', () => {
    const before = valuesOf(aServer({ maxConcurrency: 4, connectTimeoutSeconds: 3 }))
    const now = { ...before, maxConcurrency: '', connectTimeoutSeconds: '' }
    expect(changed(bodyOf(now), bodyOf(before))).toEqual({ maxConcurrency: null, connectTimeoutSeconds: null })
  })
  it('tests with the stored secrets of the server that is edited, and with nobody else’s', () => {
    expect(trialOf(valuesOf(aServer({ id: 'b', apiKey: MASK })), 'b')).toMatchObject({ id: 'b', apiKey: MASK })
    expect(trialOf(OLLAMA, null)).not.toHaveProperty('id')
  })
})

describe('the suggested id', () => {
  it.each([
    ['GPU A100 (1)', '', 'gpu-a100-1'],
    ['', 'http://10.0.0.5:11434/v1', '10.0.0.5-11434'],
    ['', 'http', ''],
    ['żółw', 'https://api.example.com', 'w'],
    ['…', 'https://api.example.com', 'api.example.com'],
  ])('of %o and %o is %o', (name, url, id) => expect(suggestedId(name, url, [])).toBe(id))
  it('is one that nobody has', () => expect(suggestedId('gpu', '', ['gpu', 'gpu-2'])).toBe('gpu-3'))
})

describe('what is wrong with a form', () => {
  it('is nothing when there is an id and an address', () => expect(check(OLLAMA)).toEqual({}))
  it.each([
    ['url', { url: '10.0.0.5:11434' }],
    ['url', { url: 'ftp://host' }],
    ['id', { id: 'a b' }],
    ['id', { id: '..' }],
    ['keyValue', { keyMode: 'enter' as const }],
    ['keyVariable', { keyMode: 'variable' as const, keyVariable: 'MY-KEY' }],
    ['maxConcurrency', { maxConcurrency: 0 }],
    ['maxConcurrency', { maxConcurrency: 1.5 }],
    ['weight', { weight: 0 }],
    ['weight', { weight: '' }],
    ['priority', { priority: '-' }],
    ['idleTimeoutSeconds', { idleTimeoutSeconds: 90_000 }],
    ['headers.0.name', { headers: [headerRow('X Team', 'v')] }],
    ['headers.0.value', { headers: [headerRow('X-Team', ' ')] }],
    ['headers.1.name', { headers: [headerRow('X-Team', 'v'), headerRow('x-team', 'v')] }],
  ])('is told on %s', (field, change) => expect(Object.keys(check({ ...OLLAMA, ...change }))).toEqual([field]))
  it('is nothing with a stored header whose value is left alone', () =>
    expect(check({ ...OLLAMA, headers: [headerRow('X-Team', '', true)] })).toEqual({}))
})
