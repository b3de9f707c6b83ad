import type { PointAnswer } from '../../api/types'

/** Nobody's fault, so no part of error rates. */
const NO_ERRORS = ['clientGone', 'cancelled']

/** The points of the last so many seconds before the newest. */
export function lastOf(points: readonly PointAnswer[], seconds: number): readonly PointAnswer[] {
  const newest = points.at(-1)
  return newest ? points.filter((point) => point.time > newest.time - seconds + 0.5) : []
}

/** Whole seconds that these points measured. */
export const secondsOf = (points: readonly PointAnswer[]) =>
  Math.round(points.reduce((sum, point) => sum + point.stepSeconds, 0))

/** Per second over all these points, null if there are none. */
export function perSecond(points: readonly PointAnswer[], count: (point: PointAnswer) => number): number | null {
  const seconds = points.reduce((sum, point) => sum + point.stepSeconds, 0)
  return seconds ? points.reduce((sum, point) => sum + count(point), 0) / seconds : null
}

export const errorsOf = (point: PointAnswer) =>
  Object.entries(point.errors).reduce((sum, [failure, count]) => sum + (NO_ERRORS.includes(failure) ? 0 : count), 0)
