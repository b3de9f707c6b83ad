import { describe, expect, it } from 'vitest'
import type { WhereNow } from '../../api/types'
import { aModel, goes } from '../../test/models'
import { chosen, copiesWords, destinations, factsOf, whereText } from './select'

const models = [
  aModel({ name: 'qwen3:8b', servers: { a: { ollama: true, loaded: true }, b: { openai: true } } }),
  aModel({ name: 'gemma3:12b', quantisation: 'F16', servers: { b: { ollama: true } } }),
]
const names = (search: Parameters<typeof chosen>[1]) => chosen(models, search).map((model) => model.name)

describe('the filter', () => {
  it('leaves all where nothing is asked for', () => expect(names({})).toEqual(['qwen3:8b', 'gemma3:12b']))
  it('wants every word, in the name, parameters or quantisation', () => {
    expect(names({ q: 'QWEN' })).toEqual(['qwen3:8b'])
    expect(names({ q: 'f16 gemma' })).toEqual(['gemma3:12b'])
    expect(names({ q: 'f16 qwen' })).toEqual([])
  })
  it('wants it on the server', () => expect(names({ server: 'a' })).toEqual(['qwen3:8b']))
  it('wants it in memory anywhere, or on the server that is chosen', () => {
    expect(names({ loaded: true })).toEqual(['qwen3:8b'])
    expect(names({ loaded: true, server: 'a' })).toEqual(['qwen3:8b'])
    expect(names({ loaded: true, server: 'b' })).toEqual([])
  })
})

it('counts copies, those in memory and those that lists deny', () => {
  expect(copiesWords(models[0] as never)).toEqual(['on 2', '1 in memory'])
  expect(copiesWords(aModel({ servers: { a: { ollama: true, denied: true } } }), 30)).toEqual([
    'on 1 of 30',
    '0 in memory',
    '1 denied',
  ])
})

it('does not deny what no server can tell: whether a model is in memory', () => {
  expect(copiesWords(aModel({ servers: { a: { openai: true }, b: { openai: true } } }))).toEqual(['on 2'])
  expect(copiesWords(aModel({ servers: { a: { openai: true, loaded: true } } }))).toEqual(['on 1', '1 in memory'])
})

it('tells what is known of a model, and nothing else', () => {
  expect(factsOf(aModel())).toEqual(['3.2B', 'Q4_K_M', 'context 131,072'])
  expect(factsOf(aModel({ parameters: '', contextLength: null }), true)).toEqual(['Q4_K_M', '2.0 GB'])
})

describe('where it would go', () => {
  const name = (id: string) => id.toUpperCase()
  it.each<[WhereNow, string]>([
    [goes('a'), 'A'],
    [goes('a', 'b'), 'One of A, B'],
    [goes('a', 'b', 'c', 'd', 'e'), 'One of A, B, C and 2 more'],
    [{ servers: ['a'], waits: true, reason: '' }, 'Waits: all full (A)'],
    [{ servers: [], waits: false, reason: 'no server can take it' }, 'Refused: no server can take it'],
  ])('says of %j: %s', (where, text) => expect(whereText(where, name)).toBe(text))

  it('is told once where both protocols go the same way', () => {
    const families = (model: Parameters<typeof destinations>[0]) =>
      destinations(model).map((one) => one.families.map(({ name }) => name))
    expect(families(aModel({ ollama: goes('a'), openai: goes('a') }))).toEqual([['Ollama', 'OpenAI']])
    expect(families(aModel({ ollama: goes('a'), openai: goes('b') }))).toEqual([['Ollama'], ['OpenAI']])
    expect(families(aModel({ ollama: null, openai: goes('b') }))).toEqual([['OpenAI']])
  })
})
