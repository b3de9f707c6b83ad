import { Group, SegmentedControl, Text } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { memo } from 'react'
import { useLive } from '../../api/live'
import { useLastPoint } from '../../api/metrics'
import { clock } from '../../lib/format'
import { LIVE, RANGES, type Range } from './ranges'

const CHOICES = Object.entries(RANGES).map(([value, { label }]) => ({ value: value as Range, label }))

/** How far back the charts go. Not drawn anew with every event: each time the browser would have to look at all its inputs. */
export const RangeChoice = memo(function RangeChoice({ range }: { range: Range }) {
  const navigate = useNavigate()
  return (
    <Group gap="sm">
      <AsOf />
      <SegmentedControl
        size="xs"
        aria-label="Time range of the charts"
        data={CHOICES}
        value={range}
        onChange={(chosen) =>
          void navigate({ to: '/', search: { range: chosen === LIVE ? undefined : chosen }, replace: true })
        }
      />
    </Group>
  )
})

/** While the figures are not live: of when they are. */
function AsOf() {
  const { state } = useLive()
  return state === 'lost' ? <LastTime /> : null
}

function LastTime() {
  const last = useLastPoint()
  return last ? (
    <Text size="xs" c="dimmed" className="num">
      as of {clock(last.time)}
    </Text>
  ) : null
}
