import type { AttemptAnswer, InFlightAnswer, RequestAnswer } from '../api/types'

/** A stream of Ollama's chat that gpu-1 answered, with some of its members as told. */
export const aRequest = (some: Partial<RequestAnswer> = {}): RequestAnswer => ({
  id: 'one',
  time: 1_750_000_000,
  client: '10.0.0.7',
  dialect: 'ollama',
  operation: 'chat',
  path: '/api/chat',
  model: 'llama3.2:3b',
  stream: true,
  server: 'gpu-1',
  outcome: 'ok',
  failure: null,
  status: 200,
  reason: '',
  attempts: [anAttempt()],
  queuedSeconds: 0.001,
  connectedSeconds: 0.002,
  firstEventSeconds: 0.05,
  durationSeconds: 1.05,
  promptTokens: 12,
  completionTokens: 100,
  ...some,
})

export const anAttempt = (some: Partial<AttemptAnswer> = {}): AttemptAnswer => ({
  server: 'gpu-1',
  outcome: 'ok',
  reason: '',
  startedSeconds: 0.001,
  endedSeconds: 1.05,
  ...some,
})

/** A request that gpu-1 is answering, with some of its members as told. */
export const running = (some: Partial<InFlightAnswer> = {}): InFlightAnswer => ({
  id: 'one',
  time: Date.now() / 1000 - 3,
  client: '10.0.0.7',
  dialect: 'ollama',
  operation: 'chat',
  path: '/api/chat',
  model: 'llama3.2:3b',
  stream: true,
  server: 'gpu-1',
  phase: 'answering',
  attempts: 1,
  ageSeconds: 3,
  idleSeconds: 0,
  ...some,
})
