import type { CheckAnswer } from '../../../api/types'
import { hasFailed, wasNotAsked } from '../../../components/heartbeat'
import { clock, DASH } from '../../../lib/format'

/** How many of the checks that asked anything were answered, and how fast. median, slowest: seconds, null where none was. */
export function answered(checks: readonly CheckAnswer[]) {
  const seconds = checks.flatMap((check) => (check.seconds === null ? [] : [check.seconds])).sort((a, b) => a - b)
  const failed = checks.findLast(hasFailed)
  const asked = checks.filter((check) => !wasNotAsked(check)).length
  return {
    asked,
    answered: seconds.length,
    percent: share(seconds.length, asked),
    median: seconds[Math.floor((seconds.length - 1) / 2)] ?? null,
    slowest: seconds.at(-1) ?? null,
    lastFailed: failed ? clock(failed.time) : null,
  }
}

/** In percent; 100 and 0 only where they are exact. */
function share(part: number, whole: number): string {
  if (!whole) return DASH
  if (part === whole || part === 0) return `${(part / whole) * 100} %`
  return `${Math.min(99.9, Math.max(0.1, (part / whole) * 100)).toFixed(1)} %`
}

/** Newest first, without those that only say again what the one before them said. */
export function changes(checks: readonly CheckAnswer[]): CheckAnswer[] {
  return checks.filter((check, at) => !isSame(check, checks[at - 1])).reverse()
}

const isSame = (check: CheckAnswer, before: CheckAnswer | undefined) =>
  before !== undefined &&
  check.status === before.status &&
  check.reason === before.reason &&
  (check.seconds === null) === (before.seconds === null)
