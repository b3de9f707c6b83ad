import { notifications } from '@mantine/notifications'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type Breaker, breakerPath, told } from '../api/breakers'
import { api } from '../api/client'
import { withBreaker } from '../api/patch'
import type { BreakerAnswer } from '../api/types'
import { type Action, DONE, nameOf } from './breaker-words'

interface Turn {
  breaker: Pick<Breaker, 'server' | 'model'>
  action: Action
  serverName?: string | undefined
}

/** Tells a breaker to open, close or reset; what it is then stands in its place. */
export function useTurnBreaker(onDone: () => void) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: ({ breaker, action }: Turn) =>
      api<BreakerAnswer | BreakerAnswer[]>(breakerPath(breaker, action), { method: 'POST' }),
    onSuccess: (answer, { breaker, action, serverName }) => {
      client.setQueryData<Breaker[]>(['breakers'], (old) => old && [answer].flat().map(told).reduce(withBreaker, old))
      void client.invalidateQueries({ queryKey: ['models'] })
      notifications.show({ message: `Breaker of ${nameOf(breaker, serverName)} ${DONE[action]}` })
      onDone()
    },
  })
}
