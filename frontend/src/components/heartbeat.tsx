import type { CheckAnswer } from '../api/types'
import { clock, duration } from '../lib/format'
import { statusOf } from './status'

/** The last checks of a server as ticks, newest on the right. */
export function Heartbeat({ checks, slots = 30 }: { checks: readonly CheckAnswer[]; slots?: number }) {
  const shown = checks.slice(-slots)
  const bad = shown.filter((check) => statusOf(check.status).tone === 'bad').length
  const says = shown.length ? `Last ${shown.length} checks: ${bad ? `${bad} failed` : 'all answered'}` : 'No checks yet'
  return (
    <div className="heartbeat" role="img" aria-label={says}>
      {Array.from({ length: Math.max(0, slots - shown.length) }, (_, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: places of checks that were not made
        <span key={`none ${at}`} data-tone="none" />
      ))}
      {shown.map((check) => (
        <span
          key={check.time}
          data-tone={statusOf(check.status).tone}
          title={`${clock(check.time)} ${statusOf(check.status).word}${check.seconds === null ? '' : `, ${duration(check.seconds)}`}${check.reason ? `: ${check.reason}` : ''}`}
        />
      ))}
    </div>
  )
}
