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

/** What was, for the charts of this range, the tiles and the ticks of servers. The live range goes on by the stream, others are fetched anew. */
export function useHistory<T>(range: Range, select: (history: HistoryAnswer) => T): UseQueryResult<T> {
  const { seconds, stepSeconds } = RANGES[range]
  return useQuery({
    ...queries.history(seconds),
    placeholderData: keepPreviousData,
    structuralSharing: false, // hardly anything stays the same, and comparing takes longer than drawing
    refetchInterval: range === LIVE ? false : stepSeconds * 1000,
    select,
  })
}

const pointsOf = (history: HistoryAnswer) => history.points

export function History({ range }: { range: Range }) {
  const query = useHistory(range, pointsOf)
  // Whatever the charts span, the tiles tell of the last seconds.
  const before = useHistory(LIVE, pointsOf).data
  useEffect(() => {
    if (before) metrics.fill(before)
  }, [before])
  if (query.isPending) return <Loading label="Loading charts" rows={6} />
  if (!query.data) return <Failed what="The charts" error={query.error} onRetry={() => void query.refetch()} />
  return (
    <Stack gap="sm">
      <Stale query={query} what="Charts" />
      {range === LIVE ? <LiveCharts /> : <Charts points={query.data} span={RANGES[range].seconds} />}
    </Stack>
  )
}

function LiveCharts() {
  const seconds = useSeconds()
  const span = RANGES[LIVE].seconds
  const points = useMemo(() => lastOf(seconds, span), [seconds, span])
  return <Charts points={points} span={span} />
}
