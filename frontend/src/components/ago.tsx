import { Text, Tooltip } from '@mantine/core'
import { ago, utc } from '../lib/format'
import { useNow } from './use-now'

const EVERY_SECONDS = 5

/** How long ago something was; its time in UTC on hover. */
export function Ago({ time, size = 'sm' }: { time: number | string | null; size?: string }) {
  const now = useNow(EVERY_SECONDS)
  return (
    <Tooltip label={utc(time)} disabled={time === null}>
      <Text size={size} span className="num">
        {ago(time, notBefore(time, now))}
      </Text>
    </Tooltip>
  )
}

/** What happened since our clock last moved happened now, not in the future. */
function notBefore(time: number | string | null, now: number): number {
  const at = typeof time === 'string' ? Date.parse(time) / 1000 : time
  return at !== null && at > now && at < now + EVERY_SECONDS ? at : now
}
