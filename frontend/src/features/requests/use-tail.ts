import { useQuery } from '@tanstack/react-query'
import { useCallback, useState, useSyncExternalStore } from 'react'
import { api } from '../../api/client'
import { useEvent, useTopic } from '../../api/live'
import type { RequestsAnswer } from '../../api/types'
import { Tail } from './tail'

/** The requests that ended last: fetched, then followed by the stream. data: how many ended since the start. */
export function useTail() {
  const [tail] = useState(() => new Tail())
  const query = useQuery({
    queryKey: ['requests', 'tail'],
    queryFn: async ({ signal }) => {
      tail.beginFetch()
      const answer = await api<RequestsAnswer>('/requests', { signal })
      tail.fill(answer.requests)
      return { total: answer.total }
    },
    staleTime: 0,
    gcTime: 0,
  })
  const { refetch } = query
  // What ended between the fetch and the opening of the stream came by neither.
  const onHello = useCallback(() => void refetch(), [refetch])
  useTopic('requests')
  useEvent('requests', tail.add)
  useEvent('hello', onHello)
  const rows = useSyncExternalStore(tail.watch, tail.get)
  return { query, rows, latest: tail.get }
}
