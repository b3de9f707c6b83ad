import { useNavigate, useSearch } from '@tanstack/react-router'
import { useCallback, useMemo } from 'react'
import type { BreakerSearch } from './select'

/** The filters of the page, which live in the URL, and how to change some of them. */
export function useBreakerSearch(): [BreakerSearch, (change: BreakerSearch) => void] {
  const { q, state, server } = useSearch({ strict: false })
  const navigate = useNavigate()
  const search = useMemo(() => ({ q, state, server }), [q, state, server])
  const set = useCallback(
    (change: BreakerSearch) =>
      void navigate({ to: '/breakers', search: (old) => ({ ...old, ...change }) as BreakerSearch, replace: true }),
    [navigate],
  )
  return [search, set]
}
