import { expect, it } from 'vitest'
import { aPoint } from '../../test/points'
import { errorsOf, lastOf, perSecond } from './figures'

const points = Array.from({ length: 30 }, (_, at) => aPoint(1000 + at, { requests: at }))

it('takes the last ten seconds, whatever their exact moments', () => {
  expect(lastOf(points, 10).map(({ requests }) => requests)).toEqual([20, 21, 22, 23, 24, 25, 26, 27, 28, 29])
  const late = points.map((point) => ({ ...point, time: point.time + (point.requests % 2 ? 0.02 : -0.02) }))
  expect(lastOf(late, 10)).toHaveLength(10)
  expect(lastOf([], 10)).toEqual([])
})

it('tells rates over the time that was measured, and none where nothing was', () => {
  const requests = (point: { requests: number }) => point.requests
  expect(perSecond(lastOf(points, 10), requests)).toBe(24.5)
  expect(perSecond([aPoint(1, { stepSeconds: 10, requests: 5 })], requests)).toBe(0.5)
  expect(perSecond([], requests)).toBeNull()
})

it('counts as errors what is somebody’s fault', () => {
  expect(errorsOf(aPoint(1, { errors: { timeout: 2, clientError: 1, clientGone: 5, cancelled: 7 } }))).toBe(3)
})
