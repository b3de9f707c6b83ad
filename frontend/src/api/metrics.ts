import { useSyncExternalStore } from 'react'
import { live } from './live'
import type { PointAnswer } from './types'

const KEPT = 600

/** Moments of one point, told twice, differ by less. */
const SAME_SECONDS = 0.4
/** A clock that was set back by more than this begins the series anew. */
const SET_BACK_SECONDS = 60

/** The last points of one second each, outside React. Watchers are told once per animation frame. */
export class Metrics {
  private points: readonly PointAnswer[] = []
  private readonly watchers = new Set<() => void>()
  private waiting = false

  watch = (watcher: () => void) => {
    this.watchers.add(watcher)
    return () => void this.watchers.delete(watcher)
  }

  get = () => this.points

  last = () => this.points.at(-1)

  add = (point: PointAnswer) => {
    const last = this.points.at(-1)
    const ahead = last ? point.time - last.time : SAME_SECONDS
    if (ahead < SAME_SECONDS && ahead > -SET_BACK_SECONDS) return
    this.points = [...(ahead < 0 ? [] : this.points), point].slice(-KEPT)
    this.tell()
  }

  /** Points of before, fetched; those that came by the stream meanwhile stay. */
  fill(before: readonly PointAnswer[]) {
    const end = before.at(-1)?.time ?? 0
    this.points = [...before, ...this.points.filter((point) => point.time >= end + SAME_SECONDS)].slice(-KEPT)
    this.tell()
  }

  private tell() {
    if (this.waiting) return
    this.waiting = true
    requestAnimationFrame(() => {
      this.waiting = false
      for (const watcher of this.watchers) watcher()
    })
  }
}

export const metrics = new Metrics()
live.on('metrics', metrics.add)

export const useSeconds = () => useSyncExternalStore(metrics.watch, metrics.get)
export const useLastPoint = () => useSyncExternalStore(metrics.watch, metrics.last)

/** In flight on a server now: from the last point, else as it was fetched. */
export function useInFlight(id: string, fetched: number): number {
  return useSyncExternalStore(metrics.watch, () => inFlightOf(metrics.last(), id, fetched))
}

export function inFlightOf(point: PointAnswer | undefined, id: string, fetched: number): number {
  if (!point) return fetched
  const told = point.inFlightByServer[id]
  // Only the busiest are told: one that is missing among many may still have some.
  return told ?? (Object.keys(point.inFlightByServer).length < 30 ? 0 : fetched)
}
