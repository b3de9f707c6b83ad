import { memo } from 'react'
import type { CheckAnswer } from '../api/types'
import { clock, duration } from '../lib/format'
import styles from './heartbeat.module.css'
import { statusOf } from './status'

interface Props {
  checks: readonly CheckAnswer[]
  slots?: number
  /** As wide as there is room; else of a fixed width. */
  wide?: boolean
}

/** The last checks of a server as ticks, newest on the right. */
export const Heartbeat = memo(function Heartbeat({ checks, slots = 30, wide = false }: Props) {
  const shown = checks.slice(-slots)
  return (
    <div className={wide ? `heartbeat ${styles.wide}` : 'heartbeat'} role="img" aria-label={summary(shown)}>
      {Array.from({ length: slots - shown.length }, (_, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: places of checks that were not made
        <span key={`none ${at}`} data-tone="none" />
      ))}
      {shown.map((check) => (
        <span key={check.time} data-tone={hasFailed(check) ? 'bad' : statusOf(check.status).tone} title={tell(check)} />
      ))}
    </div>
  )
})

/** No answer, or one that says that the server cannot be used. What it is called then may still be "draining". */
export const hasFailed = (check: CheckAnswer) => check.seconds === null || statusOf(check.status).tone === 'bad'

/** Of checks, in words. */
export function summary(checks: readonly CheckAnswer[]): string {
  if (!checks.length) return 'No checks yet'
  const failed = checks.filter(hasFailed).length
  const last = checks.length === 1 ? 'Last check' : `Last ${checks.length} checks`
  return `${last}: ${failed === 0 ? 'all answered' : failed === checks.length ? 'all failed' : `${failed} failed`}`
}

function tell({ time, status, reason, seconds }: CheckAnswer): string {
  const answer = seconds === null ? 'no answer' : duration(seconds)
  return `${clock(time)} ${statusOf(status).word}, ${answer}${reason ? `: ${reason}` : ''}`
}
