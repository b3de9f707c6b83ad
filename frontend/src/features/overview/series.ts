import type { PointAnswer } from '../../api/types'
import type { Series } from '../../components/chart'
import { outcomeOf } from '../../lib/words'

/** Points on the axis of time; null stands where the orchestrator did not run or was not heard. */
export interface Line {
  times: number[]
  points: (PointAnswer | null)[]
}

/** What may lie between two points without being a gap: a point is missed where the stream is opened anew. */
const SLACK_SECONDS = 1.5

export function lineOf(points: readonly PointAnswer[]): Line {
  const line: Line = { times: [], points: [] }
  let end: number | null = null
  for (const point of points) {
    const begin = point.time - point.stepSeconds
    if (end !== null && begin - end > Math.max(SLACK_SECONDS, point.stepSeconds / 2)) {
      line.times.push((end + begin) / 2)
      line.points.push(null)
    }
    line.times.push(point.time)
    line.points.push(point)
    end = point.time
  }
  return line
}

/** One curve. value: of a point, null where it knows none. */
export const curve = (
  { points }: Line,
  label: string,
  color: string,
  value: (point: PointAnswer) => number | null,
): Series => ({ label, color, values: points.map((point) => (point ? value(point) : null)) })

export const rateCurve = (line: Line, label: string, color: string, count: (point: PointAnswer) => number): Series =>
  curve(line, label, color, (point) => count(point) / point.stepSeconds)

/** Without what is nobody's fault, as in the tile. */
const ERROR_COLORS: Record<string, string> = {
  serverError: '--tone-bad',
  timeout: '--c4',
  truncated: '--c1',
  rateLimited: '--c3',
  clientError: '--c2',
}

/** One curve for each failure that happened and is somebody's fault; a flat one if none did. */
export function errorCurves(line: Line): Series[] {
  const seen = new Set(line.points.flatMap((point) => (point ? Object.keys(point.errors) : [])))
  const failures = Object.keys(ERROR_COLORS).filter((failure) => seen.has(failure))
  if (!failures.length) return [rateCurve(line, 'Errors', '--tone-bad', () => 0)]
  return failures.map((failure) =>
    rateCurve(line, outcomeOf(failure).word, ERROR_COLORS[failure] ?? '--c6', (point) => point.errors[failure] ?? 0),
  )
}

const COLORS = 6

/** A server keeps its look whatever its load, over ranges and reloads. at: its place in the list of servers, -1 if it is not registered any more. */
const lookOf = (at: number) =>
  at < 0
    ? { color: '--mantine-color-dimmed' }
    : { color: `--c${(at % COLORS) + 1}`, dashed: Math.floor(at / COLORS) % 2 === 1 }

/** One curve for each of these servers, one for all others if there are any. names: of all servers, in the order of registration. */
export function loadCurves(line: Line, places: readonly (string | null)[], names: Readonly<Record<string, string>>) {
  const shown = new Set(places)
  const registered = Object.keys(names)
  const curves = places.flatMap((id): Series[] => {
    if (id === null) return []
    const { color, ...look } = lookOf(registered.indexOf(id))
    return [{ ...curve(line, names[id] ?? id, color, (point) => point.inFlightByServer[id] ?? 0), ...look }]
  })
  const others = (point: PointAnswer) =>
    Object.entries(point.inFlightByServer).reduce((sum, [id, count]) => sum + (shown.has(id) ? 0 : count), 0)
  const hasOthers = line.points.some((point) => point && others(point) > 0)
  if (hasOthers) curves.push({ ...curve(line, 'Others', '--mantine-color-dimmed', others), dashed: true })
  return curves.length ? curves : [curve(line, 'All servers', '--c1', () => 0)]
}
