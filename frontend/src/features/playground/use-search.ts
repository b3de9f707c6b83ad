import { useNavigate, useSearch } from '@tanstack/react-router'
import { useCallback } from 'react'

/** What the address of the page holds. with: the model to compare with. */
export interface PlaygroundSearch {
  model?: string | undefined
  with?: string | undefined
  style?: 'ollama' | 'openai' | undefined
  server?: string | undefined
}

export function usePlaygroundSearch(): [PlaygroundSearch, (changes: PlaygroundSearch) => void] {
  const search: PlaygroundSearch = useSearch({ strict: false })
  const navigate = useNavigate()
  const change = useCallback(
    (changes: PlaygroundSearch) =>
      void navigate({
        to: '.',
        search: ((old: PlaygroundSearch) => ({ ...old, ...changes })) as never,
        replace: true,
        resetScroll: false,
      }),
    [navigate],
  )
  return [search, change]
}
