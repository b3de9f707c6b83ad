import { Group, SegmentedControl, Text } from '@mantine/core'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useLive } from '../../api/live'
import { useLastPoint } from '../../api/metrics'
import { useServers } from '../../api/queries'
import { Failed } from '../../components/empty'
import { Page } from '../../components/page'
import { Stale } from '../../components/stale'
import { clock } from '../../lib/format'
import { Events } from './events'
import { FirstRun } from './first-run'
import { Fleet } from './fleet'
import { History, useHistory } from './history'
import { LIVE, RANGES, type Range } from './ranges'
import { Tiles } from './tiles'

const CHOICES = Object.entries(RANGES).map(([value, { label }]) => ({ value: value as Range, label }))

/** Is the fleet healthy, is anything waiting, who is slow, what fails. */
export function Overview() {
  const servers = useServers()
  const range = useSearch({ strict: false }).range ?? LIVE
  const history = useHistory(range)
  if (servers.data?.length === 0)
    return (
      <Page title="Overview">
        <FirstRun />
      </Page>
    )
  return (
    <Page title="Overview" actions={<RangeChoice range={range} />}>
      <Stale query={servers} what="Servers" />
      <Tiles servers={servers.data} />
      <History range={range} query={history} />
      {servers.data && <Fleet servers={servers.data} checks={history.data?.checks} />}
      {servers.isError && !servers.data && (
        <Failed what="Servers" error={servers.error} onRetry={() => void servers.refetch()} />
      )}
      <Events />
    </Page>
  )
}

function RangeChoice({ range }: { range: Range }) {
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
}

/** While the figures are not live: of when they are. */
function AsOf() {
  const { state } = useLive()
  const last = useLastPoint()
  return state === 'lost' && last ? (
    <Text size="xs" c="dimmed" className="num">
      as of {clock(last.time)}
    </Text>
  ) : null
}
