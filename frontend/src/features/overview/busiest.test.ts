import { expect, it } from 'vitest'
import { aPoint } from '../../test/points'
import { busiest } from './busiest'

const loads = (inFlightByServer: Record<string, number>) => [aPoint(1, { inFlightByServer })]
const eight = { a: 80, b: 70, c: 60, d: 50, e: 40, f: 30, g: 20, h: 10 }

it('shows the six busiest', () => {
  expect(busiest(loads(eight), [])).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
  expect(busiest(loads({ b: 1, a: 1 }), [])).toEqual(['a', 'b', null, null, null, null])
})

it('keeps every server in its place while it is shown', () => {
  const before = busiest(loads(eight), [])
  expect(busiest(loads({ ...eight, f: 500 }), before)).toEqual(before)
})

it('gives a place to another only if it is clearly busier', () => {
  const before = busiest(loads(eight), [])
  expect(busiest(loads({ ...eight, g: 35 }), before)).toEqual(before)
  expect(busiest(loads({ ...eight, g: 90, h: 85 }), before)).toEqual(['a', 'b', 'c', 'd', 'h', 'g'])
})

it('frees the place of a server that did nothing, and fills it', () => {
  const before = busiest(loads(eight), [])
  const { c: _, ...others } = eight
  expect(busiest(loads(others), before)).toEqual(['a', 'b', 'g', 'd', 'e', 'f'])
})

it('weighs long steps more', () => {
  const points = [
    aPoint(10, { stepSeconds: 10, inFlightByServer: { a: 2 } }),
    aPoint(11, { inFlightByServer: { b: 9 } }),
  ]
  expect(busiest(points, []).slice(0, 2)).toEqual(['a', 'b'])
})
