import { describe, expect, it } from 'vitest'
import { foldedName, stays, videoShare } from './memory'

const NOW = Date.parse('2026-01-01T12:00:00Z') / 1000

describe('stays', () => {
  it.each([
    ['2026-01-01T12:04:10Z', 'stays 4 min'],
    ['2026-01-01T14:01:30.5+02:00', 'stays 2 min'],
    ['2026-01-01T12:00:42Z', 'stays 42 s'],
    ['2026-01-02T12:00:00Z', 'stays 24 h'],
    ['2318-04-12T00:00:00Z', 'forever'],
    ['2026-01-01T11:59:00Z', 'about to go'],
    ['0001-01-01T00:00:00Z', '–'],
    ['', '–'],
  ])('tells %o as %o', (expiresAt, text) => expect(stays(expiresAt, NOW)).toBe(text))
})

it('tells how much of a model is in video memory', () => {
  expect([videoShare({ size: 200, sizeVram: 50 }), videoShare({ size: 0, sizeVram: 0 })]).toEqual(['25 %', '–'])
})

it('knows spellings of the same model', () => {
  expect(['Llama3', 'library/llama3:latest', 'reg:5000/a/llama3', 'a:8B'].map(foldedName)).toEqual([
    'llama3',
    'llama3',
    'reg:5000/a/llama3',
    'a:8b',
  ])
})
