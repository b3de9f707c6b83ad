import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useCallback, useRef, useSyncExternalStore } from 'react'
import { api } from '../../api/client'
import { useEvent, useTopic } from '../../api/live'
import type { InFlightAnswer, InFlightRows, RequestsAnswer } from '../../api/types'

const KEY = ['requests', 'inflight']
const KEPT_REMOVED = 200

/** What runs now: fetched once, then told by the stream. `remove` takes out what was cancelled before the stream says so. */
export function useInFlight() {
  const client = useQueryClient()
  const removed = useRef(new Set<string>())
  const without = useCallback(({ inFlight, total }: InFlightRows): InFlightRows => {
    const left = inFlight.filter(({ id }) => !removed.current.has(id))
    return { inFlight: left, total: total - (inFlight.length - left.length) }
  }, [])
  const query = useQuery({
    queryKey: KEY,
    queryFn: async ({ signal }) => {
      const { inFlight } = await api<RequestsAnswer>('/requests?limit=1', { signal })
      return without({ inFlight, total: inFlight.length })
    },
    staleTime: 0,
    gcTime: 0,
  })
  const onRows = useCallback(
    (rows: InFlightRows) => client.setQueryData<InFlightRows>(KEY, without(rows)),
    [client, without],
  )
  useTopic('inflight')
  useEvent('inflight', onRows)
  const remove = useCallback(
    ({ id }: InFlightAnswer) => {
      removed.current = new Set([...removed.current, id].slice(-KEPT_REMOVED))
      client.setQueryData<InFlightRows>(KEY, (old) => old && without(old))
    },
    [client, without],
  )
  return { query, remove }
}

/** How many run, as the open list tells it; undefined while there is none. Fetches nothing. */
export function useInFlightTotal(): number | undefined {
  const client = useQueryClient()
  const watch = useCallback((watcher: () => void) => client.getQueryCache().subscribe(watcher), [client])
  return useSyncExternalStore(watch, () => client.getQueryData<InFlightRows>(KEY)?.total)
}
