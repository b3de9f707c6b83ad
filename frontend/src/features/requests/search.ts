import { useNavigate, useSearch } from '@tanstack/react-router'
import { useCallback } from 'react'

/** What the address of the page holds. slower: seconds, as text. */
export interface RequestSearch {
  view?: 'log' | 'inflight' | undefined
  q?: string | undefined
  result?: string | undefined
  server?: string | undefined
  model?: string | undefined
  dialect?: string | undefined
  slower?: string | undefined
  id?: string | undefined
}

export const NO_FILTERS: RequestSearch = {
  q: undefined,
  result: undefined,
  server: undefined,
  model: undefined,
  dialect: undefined,
  slower: undefined,
}

type Change = (changes: RequestSearch, how?: { replace: boolean }) => void

export function useRequestSearch(): [RequestSearch, Change] {
  const search: RequestSearch = useSearch({ strict: false })
  const navigate = useNavigate()
  const change = useCallback<Change>(
    (changes, { replace } = { replace: true }) =>
      void navigate({
        to: '.',
        search: ((old: RequestSearch) => ({ ...old, ...changes })) as never,
        replace,
        resetScroll: false,
      }),
    [navigate],
  )
  return [search, change]
}
