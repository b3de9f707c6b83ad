import { describe, expect, it } from 'vitest'
import { aModel, goes } from '../../test/models'
import { defaultModel, serversOf, styleFor, stylesOf } from './choose'
import { parted } from './thinking'

const both = aModel({ name: 'both', openai: goes('gpu-1') })
const openai = aModel({ name: 'openai', ollama: null, openai: goes('cloud'), servers: { cloud: { openai: true } } })

it('begins with a model in memory, and with one that seems to embed only where there is no other', () => {
  const loaded = aModel({ name: 'loaded', servers: { 'gpu-1': { ollama: true, loaded: true } } })
  const embeds = aModel({ name: 'all-minilm', servers: { 'gpu-1': { ollama: true, loaded: true } } })
  expect(defaultModel([embeds, both, loaded])).toBe('loaded')
  expect(defaultModel([embeds, both])).toBe('both')
  expect(defaultModel([embeds])).toBe('all-minilm')
  expect(defaultModel([])).toBeUndefined()
})

it('offers the styles that servers speak for a model, and both for one that nobody has', () => {
  expect([stylesOf(both), stylesOf(openai), stylesOf(undefined)]).toEqual([
    ['ollama', 'openai'],
    ['openai'],
    ['ollama', 'openai'],
  ])
  expect([styleFor(both, 'openai'), styleFor(openai, 'ollama')]).toEqual(['openai', 'openai'])
})

it('offers the servers that have any of the models', () => {
  expect(serversOf([both, openai, undefined])).toEqual(['cloud', 'gpu-1'])
})

describe('thinking in tags', () => {
  it.each([
    ['Hello', '', 'Hello'],
    ['<think>hm</think>\n\nHello', 'hm', 'Hello'],
    ['\n<think>\nstill at it', 'still at it', ''],
    ['Write <think> yourself', '', 'Write <think> yourself'],
  ])('of %j is told apart', (said, thinking, text) => expect(parted(said)).toEqual({ thinking, text }))
})
