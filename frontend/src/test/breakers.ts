import type { BreakerAnswer } from '../api/types'

/** A closed breaker of a model that saw nothing yet, with some of its members as told. */
export const aBreaker = (some: Partial<BreakerAnswer> = {}): BreakerAnswer => ({
  server: 'gpu-1',
  model: 'llama3.2:latest',
  state: 'closed',
  forced: false,
  reason: '',
  requests: 0,
  failures: 0,
  consecutiveFailures: 0,
  changedSecondsAgo: 60,
  nextTrySeconds: null,
  ...some,
})
