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

/** The last checks of a server as ticks, newest on the right. Each tone has a shape of its own; flat is where nothing was asked. */
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

/** Nothing was sent: the settings (a variable that is missing, say) did not allow it. A key that was refused was sent, and answered. */
export const wasNotAsked = ({ status, seconds }: CheckAnswer) => status === 'configError' && seconds === null

/** No answer, or one that says that the server cannot be used. What it is called then may still be "draining". */
export const hasFailed = (check: CheckAnswer) =>
  !wasNotAsked(check) && (check.seconds === null || statusOf(check.status).tone === 'bad')

/** How long the answer took, or why there is no time. */
export const answerOf = (check: CheckAnswer) =>
  check.seconds !== null ? duration(check.seconds) : wasNotAsked(check) ? 'not asked' : 'no answer'

/** An answer of a server that takes no requests is neither well nor ill. */
function toneOf(check: CheckAnswer): string {
  if (wasNotAsked(check)) return 'none'
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
    if (!hasFailed(check) && check.status !== 'healthy') others.set(wordOf(check), (others.get(wordOf(check)) ?? 0) + 1)
  const words = [...others].map(([word, count]) => `${count} ${word}`)
  return `${last}: ${[...(failed ? [`${failed} failed`] : []), ...words].join(', ') || 'all answered'}`
}

const wordOf = (check: CheckAnswer) => (wasNotAsked(check) ? 'not asked' : statusOf(check.status).word.toLowerCase())

function tell(check: CheckAnswer): string {
  const { time, status, reason } = check
  return `${clock(time)} ${statusOf(status).word}, ${answerOf(check)}${reason ? `: ${reason}` : ''}`
}
