import { Text, Tooltip } from '@mantine/core'
import { ago, utc } from '../lib/format'
import { useNow } from './use-now'

/** How long ago something was; its time in UTC on hover. */
export function Ago({ time, size = 'sm' }: { time: number | string | null; size?: string }) {
  const now = useNow(5)
  return (
    <Tooltip label={utc(time)} disabled={time === null}>
      <Text size={size} span className="num">
        {ago(time, now)}
      </Text>
    </Tooltip>
  )
}
