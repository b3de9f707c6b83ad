import type { BreakerAnswer } from './types'

/** toldAt: Unix seconds by our own clock at which this was told; its durations count from there. */
export interface Breaker extends BreakerAnswer {
  toldAt: number
}

/** With the moment, so that what is shown of its durations does not jump when it is told again. */
export const told = (breaker: BreakerAnswer): Breaker => ({ ...breaker, toldAt: Date.now() / 1000 })

/** Unix seconds by our own clock. */
export const changedAt = (breaker: Breaker) => breaker.toldAt - breaker.changedSecondsAgo

/** Unix seconds by our own clock, null unless it is open by itself. */
export const nextTryAt = (breaker: Breaker) =>
  breaker.nextTrySeconds === null ? null : breaker.toldAt + breaker.nextTrySeconds

/** The path of what to tell it; without a model: the server's own and those of all its models. */
export const breakerPath = ({ server, model }: Pick<Breaker, 'server' | 'model'>, action: string) =>
  `/breakers/${[server, ...(model === null ? [] : [model]), action].map(encodeURIComponent).join('/')}`
