import { describe, expect, it } from 'vitest'
import { ago, bytes, clock, count, duration, rate, utc } from './format'

describe('duration', () => {
  it.each([
    [0.0004, '0.4 ms'],
    [0.085, '85 ms'],
    [0.9999, '1.00 s'],
    [1.239, '1.24 s'],
    [42.4, '42 s'],
    [59.7, '1 m 0 s'],
    [200, '3 m 20 s'],
    [7500, '2 h 5 m'],
    [273600, '3 d 4 h'],
    [null, '–'],
    [Number.NaN, '–'],
  ])('tells %s as %s', (seconds, text) => expect(duration(seconds)).toBe(text))
})

describe('bytes', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [4_661_224_676, '4.7 GB'],
    [999_999_999, '1.0 GB'],
    [236e9, '236 GB'],
    [null, '–'],
  ])('tells %s as %s', (size, text) => expect(bytes(size)).toBe(text))
})

it('counts with separators, then in thousands and millions', () => {
  expect([count(1234), count(123_456), count(4_500_000), count(null)]).toEqual(['1,234', '123 k', '4.5 M', '–'])
})

it('never shows a thousand thousands', () => {
  expect([count(99_999.6), count(999_499), count(999_500)]).toEqual(['100 k', '999 k', '1.0 M'])
})

it('tells rates with the digits that matter', () => {
  expect([rate(0), rate(0.083), rate(15.27), rate(1650.4)]).toEqual(['0', '0.08', '15.3', '1,650'])
})

it('tells how long ago or ahead something is', () => {
  expect([ago(100, 101), ago(100, 160), ago(100, 700), ago(1000, 995), ago('1970-01-01T00:00:00Z', 7200)]).toEqual([
    'just now',
    '60 s ago',
    '10 min ago',
    'in 5 s',
    '2 h ago',
  ])
})

it('shows no time for one that cannot be read', () => {
  expect([clock('soon'), utc(''), ago(undefined, 0)]).toEqual(['–', '–', '–'])
  expect(utc(0)).toBe('1970-01-01 00:00:00 UTC')
})
