import { SimpleGrid } from '@mantine/core'
import { useSeconds } from '../../api/metrics'
import { useServers } from '../../api/queries'
import type { PointAnswer } from '../../api/types'
import { Tile } from '../../components/tile'
import { count, DASH, duration, rate } from '../../lib/format'
import { errorsOf, lastOf, perSecond, secondsOf } from './figures'
import { othersOf } from './others'

/** What a rate is taken over: a single second flickers. Errors are few, so they are to be seen for longer. */
const RATE_SECONDS = 10
const ERROR_SECONDS = 60
const IN_FLIGHT = { view: 'inflight' }
const ERRORS = { result: 'error' }
const NOT_UP = { status: 'trouble' }
const DEGRADED = { status: 'degraded' }
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
        sub={windowOf(recent)}
        to="/requests"
      />
      <Tile
        label="In flight"
        value={count(newest?.inFlight)}
        sub={newest ? (newest.queued ? `${count(newest.queued)} waiting for a server` : 'none waiting') : DASH}
        to="/requests"
        search={IN_FLIGHT}
      />
      <FirstToken newest={newest} recent={recent} />
      <Tile
        label="Output tokens/s"
        value={rate(perSecond(recent, (point) => point.completionTokens))}
        sub={`prompt ${rate(perSecond(recent, (point) => point.promptTokens))}/s, ${windowOf(recent)}`}
        to="/requests"
      />
      <Errors points={lastOf(points, ERROR_SECONDS)} />
    </SimpleGrid>
  )
}

/** What a figure is really of: less than was wanted where the past could not be fetched or is too short. */
const windowOf = (points: readonly PointAnswer[]) => (points.length ? `last ${secondsOf(points)} s` : DASH)

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
      search={others?.servers.length ? NOT_UP : others?.degraded.length ? DEGRADED : undefined}
    />
  )
}

/** Fetched points do not know the percentiles of ten seconds, but whether there were streams at all. */
function FirstToken({ newest, recent }: { newest: PointAnswer | undefined; recent: readonly PointAnswer[] }) {
  const none = recent.length > 0 && recent.every((point) => point.firstTokenP50Seconds == null)
  const says = none ? `no first token in the ${windowOf(recent)}` : DASH
  const p50 = newest?.recentFirstTokenP50Seconds ?? null
  const p95 = newest?.recentFirstTokenP95Seconds ?? null
  return (
    <Tile
      label="TTFT p50"
      value={duration(p50)}
      sub={p50 === null ? says : `p95 ${duration(p95)}, last 10 s`}
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
  const says = errors
    ? `${share < 10 ? share.toFixed(1) : share.toFixed(0)} % of requests, ${windowOf(points)}`
    : `none in ${secondsOf(points)} s`
  return (
    <Tile
      label="Errors/s"
      value={rate(perSecond(points, errorsOf))}
      tone={points.length ? toneOf(share) : undefined}
      sub={points.length ? says : DASH}
      to="/requests"
      search={ERRORS}
    />
  )
}
