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

/** The last checks of a server as ticks, newest on the right. Each tone has a shape of its own; flat is where no check was made. */
export const Heartbeat = memo(function Heartbeat({ checks, slots = 30, wide = false }: Props) {
  const shown = checks.slice(-slots)
  return (
    <div className={wide ? `heartbeat ${styles.wide}` : 'heartbeat'} role="img" aria-label={summary(shown)}>
      {Array.from({ length: slots - shown.length }, (_, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: places of checks that were not made
        <span key={`none ${at}`} data-tone="none" />
      ))}
      {shown.map((check) => (
        <span key={check.time} data-tone={toneOf(check)} title={tell(check)} />
      ))}
    </div>
  )
})

/** No answer, or one that says that the server cannot be used. What it is called then may still be "draining". */
export const hasFailed = (check: CheckAnswer) => check.seconds === null || statusOf(check.status).tone === 'bad'

/** An answer of a server that takes no requests is neither well nor ill. */
function toneOf(check: CheckAnswer): string {
  const { tone } = statusOf(check.status)
  return hasFailed(check) ? 'bad' : tone === 'none' ? 'info' : tone
}

/** Of checks, in words: how many failed, and what those answered that were not just well. */
export function summary(checks: readonly CheckAnswer[]): string {
  if (!checks.length) return 'No checks yet'
  const failed = checks.filter(hasFailed).length
  const last = checks.length === 1 ? 'Last check' : `Last ${checks.length} checks`
  if (failed === checks.length) return `${last}: all failed`
  const others = new Map<string, number>()
  for (const check of checks)
    if (!hasFailed(check) && check.status !== 'healthy') others.set(check.status, (others.get(check.status) ?? 0) + 1)
  const words = [...others].map(([status, count]) => `${count} ${statusOf(status).word.toLowerCase()}`)
  return `${last}: ${[...(failed ? [`${failed} failed`] : []), ...words].join(', ') || 'all answered'}`
}

function tell({ time, status, reason, seconds }: CheckAnswer): string {
  const answer = seconds === null ? 'no answer' : duration(seconds)
  return `${clock(time)} ${statusOf(status).word}, ${answer}${reason ? `: ${reason}` : ''}`
}
