import { Text, Tooltip } from '@mantine/core'
import { ago, utc } from '../lib/format'
import { useNow } from './use-now'

const EVERY_SECONDS = 5

/** How long ago something was; its time in UTC on hover. */
export const Ago = ({ time, size = 'sm' }: { time: number | string | null; size?: string }) => (
  <Tooltip label={utc(time)} disabled={time === null}>
    <Text size={size} span className="num">
      <Words time={time} />
    </Text>
  </Tooltip>
)

/** Apart, so that nothing but the words is drawn anew. */
function Words({ time }: { time: number | string | null }) {
  const now = useNow(EVERY_SECONDS)
  return ago(time, notBefore(time, now))
}

/** What happened since our clock last moved happened now, not in the future. */
function notBefore(time: number | string | null, now: number): number {
  const at = typeof time === 'string' ? Date.parse(time) / 1000 : time
  return at !== null && at > now && at < now + EVERY_SECONDS ? at : now
}
