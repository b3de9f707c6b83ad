import { SimpleGrid } from '@mantine/core'
import { useMemo, useRef } from 'react'
import { useServerNames } from '../../api/server-names'
import type { PointAnswer } from '../../api/types'
import { Chart } from '../../components/chart'
import { count, duration, rate } from '../../lib/format'
import { busiest } from './busiest'
import { curve, errorCurves, lineOf, loadCurves, rateCurve } from './series'

const perSecond = (value: number) => `${rate(value)}/s`

/** span: seconds that the charts show up to the newest point. */
export function Charts({ points, span }: { points: readonly PointAnswer[]; span: number }) {
  const names = useServerNames()
  const places = useRef<readonly (string | null)[]>([])
  const drawn = useMemo(() => {
    const line = lineOf(points)
    places.current = busiest(points, places.current)
    return {
      times: line.times,
      requests: [rateCurve(line, 'Requests', '--c1', (point) => point.requests)],
      firstTokens: [
        curve(line, 'p50', '--c2', (point) => point.firstTokenP50Seconds),
        curve(line, 'p95', '--c3', (point) => point.firstTokenP95Seconds),
      ],
      tokens: [
        rateCurve(line, 'Output', '--c5', (point) => point.completionTokens),
        rateCurve(line, 'Prompt', '--c4', (point) => point.promptTokens),
      ],
      errors: errorCurves(line),
      loads: loadCurves(line, places.current, names),
      servers: [
        curve(line, 'Up', '--tone-ok', (point) => point.serversUp),
        { ...curve(line, 'All', '--mantine-color-dimmed', (point) => point.servers), dashed: true },
      ],
      queued: points.some((point) => point.queued > 0) && [curve(line, 'Waiting', '--c3', (point) => point.queued)],
    }
  }, [points, names])
  const common = { times: drawn.times, group: 'overview', span }
  return (
    <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="sm">
      <Chart {...common} title="Requests per second" series={drawn.requests} tell={perSecond} fill />
      <Chart {...common} title="Time to first token" series={drawn.firstTokens} tell={duration} atLeast={0.05} />
      <Chart {...common} title="Tokens per second" series={drawn.tokens} tell={perSecond} />
      <Chart {...common} title="Errors per second" series={drawn.errors} tell={perSecond} named />
      <Chart {...common} title="In flight by server" series={drawn.loads} tell={count} named whole atLeast={4} />
      <Chart {...common} title="Servers up" series={drawn.servers} tell={count} whole atLeast={2} />
      {drawn.queued && (
        <div style={{ gridColumn: '1 / -1' }}>
          <Chart {...common} title="Waiting for a server" series={drawn.queued} tell={count} whole atLeast={4} fill />
        </div>
      )}
    </SimpleGrid>
  )
}
