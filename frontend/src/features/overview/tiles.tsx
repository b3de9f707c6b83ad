import { SimpleGrid } from '@mantine/core'
import { useSeconds } from '../../api/metrics'
import { useServers } from '../../api/queries'
import type { PointAnswer } from '../../api/types'
import { Tile } from '../../components/tile'
import { count, DASH, duration, rate } from '../../lib/format'
import { errorsOf, lastOf, perSecond } from './figures'
import { othersOf } from './others'

/** What a rate is taken over: a single second flickers. Errors are few, so they are to be seen for longer. */
const RATE_SECONDS = 10
const ERROR_SECONDS = 60
const IN_FLIGHT = { view: 'inflight' }
const FAILED = { result: 'failed' }
const TROUBLE = { status: 'trouble' }
const COLUMNS = { base: 2, md: 3, xl: 6 }

export function Tiles() {
  const points = useSeconds()
  const recent = lastOf(points, RATE_SECONDS)
  const newest = points.at(-1)
  return (
    <SimpleGrid cols={COLUMNS} spacing="sm">
      <ServersUp />
      <Tile
        label="Requests/s"
        value={rate(perSecond(recent, (point) => point.requests))}
        sub="last 10 s"
        to="/requests"
      />
      <Tile
        label="In flight"
        value={count(newest?.inFlight)}
        sub={newest ? (newest.queued ? `${count(newest.queued)} waiting for a server` : 'none waiting') : DASH}
        to="/requests"
        search={IN_FLIGHT}
      />
      <FirstToken newest={newest} />
      <Tile
        label="Output tokens/s"
        value={rate(perSecond(recent, (point) => point.completionTokens))}
        sub={`prompt ${rate(perSecond(recent, (point) => point.promptTokens))}/s, last 10 s`}
        to="/requests"
      />
      <Errors points={lastOf(points, ERROR_SECONDS)} />
    </SimpleGrid>
  )
}

function ServersUp() {
  const { data: servers } = useServers()
  const others = servers && othersOf(servers)
  return (
    <Tile
      label="Servers up"
      value={servers && others ? `${servers.length - others.servers.length} of ${servers.length}` : DASH}
      tone={others?.tone}
      sub={others ? others.text : undefined}
      to="/servers"
      search={others?.servers.length ? TROUBLE : undefined}
    />
  )
}

function FirstToken({ newest }: { newest: PointAnswer | undefined }) {
  const p50 = newest?.recentFirstTokenP50Seconds ?? null
  const p95 = newest?.recentFirstTokenP95Seconds ?? null
  return (
    <Tile
      label="TTFT p50"
      value={duration(p50)}
      sub={p50 === null ? 'no streams in the last 10 s' : `p95 ${duration(p95)}, last 10 s`}
      to="/requests"
    />
  )
}

/** share: per cent of the requests. */
const toneOf = (share: number) => (share === 0 ? 'ok' : share < 5 ? 'warn' : 'bad')

function Errors({ points }: { points: readonly PointAnswer[] }) {
  const errors = points.reduce((sum, point) => sum + errorsOf(point), 0)
  const requests = points.reduce((sum, point) => sum + point.requests, 0)
  const share = requests ? (100 * errors) / requests : 0
  const says = errors ? `${share < 10 ? share.toFixed(1) : share.toFixed(0)} % of requests, last 60 s` : 'none in 60 s'
  return (
    <Tile
      label="Errors/s"
      value={rate(perSecond(points, errorsOf))}
      tone={points.length ? toneOf(share) : undefined}
      sub={points.length ? says : DASH}
      to="/requests"
      search={FAILED}
    />
  )
}
