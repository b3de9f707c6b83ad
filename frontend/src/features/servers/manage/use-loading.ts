import { useQueryClient } from '@tanstack/react-query'
import { useCallback, useState } from 'react'
import { ApiError, api } from '../../../api/client'
import type { ServerAnswer } from '../../../api/types'
import { putServer } from '../cache'

export type Turn = 'load' | 'unload'

/** What is under way for a model, or why it last failed. */
export type LoadState = { doing: Turn } | { problem: string }

/** Loads and unloads models of one server; several at a time. states: by the name of the model. */
export function useLoading(id: string) {
  const client = useQueryClient()
  const [states, setStates] = useState<ReadonlyMap<string, LoadState>>(new Map())
  const turn = useCallback(
    async (model: string, action: Turn) => {
      const set = (state: LoadState | null) => setStates((old) => withState(old, model, state))
      set({ doing: action })
      try {
        const path = `/servers/${encodeURIComponent(id)}/models/${action}`
        putServer(client, await api<ServerAnswer>(path, { method: 'POST', json: { model } }))
        set(null)
      } catch (error) {
        if (error instanceof ApiError && error.status === 401) window.dispatchEvent(new Event('signed-out'))
        set({ problem: error instanceof Error ? error.message : 'It failed.' })
      }
      for (const queryKey of [['server-models', id], ['models']]) void client.invalidateQueries({ queryKey })
    },
    [client, id],
  )
  return { states, turn }
}

function withState(old: ReadonlyMap<string, LoadState>, model: string, state: LoadState | null) {
  const next = new Map(old)
  if (state) next.set(model, state)
  else next.delete(model)
  return next
}
