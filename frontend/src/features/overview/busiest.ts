import type { PointAnswer } from '../../api/types'

export const PLACES = 6
/** How much busier than the least busy one another server must be to take its place: charts should not flicker. */
const LEAD = 1.25

/** The busiest servers of these points. Each stays in the place that it had before. */
export function busiest(points: readonly PointAnswer[], before: readonly (string | null)[]): (string | null)[] {
  const load = loads(points)
  const places = Array.from({ length: PLACES }, (_, place) => {
    const id = before[place] ?? null
    return id !== null && load.has(id) ? id : null
  })
  const waiting = [...load].filter(([id]) => !places.includes(id)).sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
  for (const [id, load_] of waiting) {
    const free = places.indexOf(null)
    const place = free >= 0 ? free : leastOf(places, load)
    const held = places[place]
    if (held != null && load_ <= (load.get(held) ?? 0) * LEAD) break
    places[place] = id
  }
  return places
}

function loads(points: readonly PointAnswer[]): Map<string, number> {
  const load = new Map<string, number>()
  for (const point of points)
    for (const [id, count] of Object.entries(point.inFlightByServer))
      load.set(id, (load.get(id) ?? 0) + count * point.stepSeconds)
  return load
}

const leastOf = (places: readonly (string | null)[], load: ReadonlyMap<string, number>) =>
  places.reduce(
    (least, id, place) => ((load.get(id ?? '') ?? 0) < (load.get(places[least] ?? '') ?? 0) ? place : least),
    0,
  )
