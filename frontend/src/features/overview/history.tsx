import { Stack } from '@mantine/core'
import { keepPreviousData, type UseQueryResult, useQuery } from '@tanstack/react-query'
import { useEffect, useMemo } from 'react'
import { metrics, useSeconds } from '../../api/metrics'
import { queries } from '../../api/queries'
import type { HistoryAnswer } from '../../api/types'
import { Failed, Loading } from '../../components/empty'
import { Stale } from '../../components/stale'
import { Charts } from './charts'
import { lastOf } from './figures'
import { LIVE, RANGES, type Range } from './ranges'

/** What was, for the charts of this range and the ticks of servers. The live range goes on by the stream, others are fetched anew. */
export function useHistory(range: Range): UseQueryResult<HistoryAnswer> {
  const { seconds, stepSeconds } = RANGES[range]
  const query = useQuery({
    ...queries.history(seconds),
    placeholderData: keepPreviousData,
    refetchInterval: range === LIVE ? false : stepSeconds * 1000,
  })
  const points = range === LIVE && !query.isPlaceholderData ? query.data?.points : undefined
  useEffect(() => {
    if (points) metrics.fill(points)
  }, [points])
  return query
}

export function History({ range, query }: { range: Range; query: UseQueryResult<HistoryAnswer> }) {
  if (query.isPending) return <Loading label="Loading charts" rows={6} />
  if (!query.data) return <Failed what="The charts" error={query.error} onRetry={() => void query.refetch()} />
  return (
    <Stack gap="sm">
      <Stale query={query} what="Charts" />
      {range === LIVE ? <LiveCharts /> : <Charts points={query.data.points} span={RANGES[range].seconds} />}
    </Stack>
  )
}

function LiveCharts() {
  const seconds = useSeconds()
  const span = RANGES[LIVE].seconds
  const points = useMemo(() => lastOf(seconds, span), [seconds, span])
  return <Charts points={points} span={span} />
}
