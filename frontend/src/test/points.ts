import type { PointAnswer } from '../api/types'

/** A second in which nothing happened, with some of its members as told. time: Unix seconds. */
export const aPoint = (time: number, some: Partial<PointAnswer> = {}): PointAnswer => ({
  time,
  stepSeconds: 1,
  requests: 0,
  errors: {},
  firstTokenP50Seconds: null,
  firstTokenP95Seconds: null,
  promptTokens: 0,
  completionTokens: 0,
  inFlight: 0,
  queued: 0,
  servers: 0,
  serversUp: 0,
  inFlightByServer: {},
  recentFirstTokenP50Seconds: null,
  recentFirstTokenP95Seconds: null,
  ...some,
})
