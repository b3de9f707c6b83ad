import { useNavigate, useSearch } from '@tanstack/react-router'
import { useCallback, useMemo } from 'react'
import type { ModelSearch } from './select'

/** The filters of the page, which live in the URL, and how to change some of them. Back closes the details of a model. */
export function useModelSearch(): [ModelSearch, (change: ModelSearch) => void] {
  const { q, server, loaded, model } = useSearch({ strict: false })
  const navigate = useNavigate()
  const search = useMemo(
    (): ModelSearch => ({ q, server, loaded: loaded || undefined, model }),
    [q, server, loaded, model],
  )
  const set = useCallback(
    (change: ModelSearch) =>
      void navigate({
        to: '/models',
        search: (old) => ({ ...old, ...change }) as ModelSearch,
        replace: !('model' in change),
      }),
    [navigate],
  )
  return [search, set]
}
