import type { PointAnswer } from '../../api/types'
import { isError } from '../../lib/failures'

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
  Object.entries(point.errors).reduce((sum, [failure, count]) => sum + (isError(failure) ? count : 0), 0)
