import type { RequestAnswer, RequestRows } from '../../api/types'

export const KEPT = 2000
const PAUSE_MS = 250

/** Newest first. dropped: how many ended that are not among them, since all were fetched last. */
export interface Rows {
  rows: readonly RequestAnswer[]
  dropped: number
}

/** Clients may use an id again, so the id alone does not tell two requests apart. */
export const keyOf = ({ id, time }: Pick<RequestAnswer, 'id' | 'time'>) => `${id} ${time}`

/** The requests that ended last, outside React. Watchers are told at most four times a second. */
export class Tail {
  private rows: RequestAnswer[] = []
  private dropped = 0
  private known = new Set<string>()
  /** What came since a fetch began: its answer may be older than that. */
  private fresh: RequestAnswer[] = []
  private snapshot: Rows = { rows: [], dropped: 0 }
  private readonly watchers = new Set<() => void>()
  private timer: ReturnType<typeof setTimeout> | undefined

  watch = (watcher: () => void) => {
    this.watchers.add(watcher)
    return () => void this.watchers.delete(watcher)
  }

  get = () => this.snapshot

  add = ({ requests, dropped }: RequestRows) => {
    const added = requests.filter((row) => !this.known.has(keyOf(row)))
    this.fresh = [...added, ...this.fresh].slice(0, KEPT)
    this.dropped += dropped
    this.set([...added, ...this.rows])
    this.timer ??= setTimeout(this.tell, PAUSE_MS)
  }

  beginFetch() {
    this.fresh = []
  }

  /** All that is kept there, newest first. */
  fill(fetched: readonly RequestAnswer[]) {
    const known = new Set(fetched.map(keyOf))
    this.dropped = 0
    this.set([...this.fresh.filter((row) => !known.has(keyOf(row))), ...fetched])
    this.tell()
  }

  private set(rows: RequestAnswer[]) {
    this.rows = rows.slice(0, KEPT)
    this.known = new Set(this.rows.map(keyOf))
  }

  private tell = () => {
    clearTimeout(this.timer)
    this.timer = undefined
    this.snapshot = { rows: this.rows, dropped: this.dropped }
    for (const watcher of this.watchers) watcher()
  }
}

/** Those of `now` that ended after all of `before`. */
export function newSince(now: readonly RequestAnswer[], before: readonly RequestAnswer[]): readonly RequestAnswer[] {
  const first = before[0]
  if (!first) return now
  const at = now.findIndex((row) => keyOf(row) === keyOf(first))
  return at < 0 ? now : now.slice(0, at)
}
