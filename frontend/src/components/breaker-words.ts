import type { Breaker } from '../api/breakers'
import { DASH, sentence } from '../lib/format'

export type Action = 'open' | 'close' | 'reset'

/** For the names of buttons and titles of dialogs. serverName: what the server is called, else its id. */
export const nameOf = ({ server, model }: Pick<Breaker, 'server' | 'model'>, serverName = server) =>
  model === null ? `${serverName} and all its models` : `${model} on ${serverName}`

/** `Hold open` of one that is open by itself already. */
export const wordOf = (action: Action, { state }: Pick<Breaker, 'state'>) =>
  action === 'open' && state === 'open' ? 'Hold open' : sentence(action)

/** On the button that does it. */
export const verbOf = (action: Action, breaker: Pick<Breaker, 'state'>) =>
  wordOf(action, breaker) === 'Hold open' ? 'Hold open' : `${sentence(action)} breaker`

/** What an action does, in words: to new requests, to what was counted, to running requests. */
export function effectOf(action: Action, { state, model }: Pick<Breaker, 'state' | 'model'>): string {
  const here = model === null ? 'this server' : 'this model on this server'
  if (action === 'open')
    return `No request goes to ${here} until somebody closes it, even when no other server is left. Requests that run there now go on to their end.`
  if (action === 'close')
    return `Requests go to ${here} again at once, and its counts start over. Running requests are not touched.`
  const closes = model === null || state !== 'closed'
  return `Its counts start over${closes ? '; what is open closes, as with Close' : ''}. Running requests are not touched.`
}

export const DONE: Record<Action, string> = { open: 'opened', close: 'closed', reset: 'reset' }

/** `3 of 20 failed in the last minute, 3 in a row` (which may have begun before that); a dash where nothing was counted. */
export function countsOf({
  requests,
  failures,
  consecutiveFailures,
}: Pick<Breaker, 'requests' | 'failures' | 'consecutiveFailures'>): string {
  const parts = [
    ...(requests ? [`${failures} of ${requests} failed in the last minute`] : []),
    ...(consecutiveFailures ? [`${consecutiveFailures} in a row`] : []),
  ]
  return parts.join(', ') || DASH
}
