import type { AttemptAnswer, RequestAnswer } from '../../api/types'
import { count, DASH, rate } from '../../lib/format'

export const DIALECTS: Record<string, string> = { ollama: 'Ollama', openai: 'OpenAI', anthropic: 'Anthropic' }
/** Without what only tells it from an operation of another API. */
export const operationOf = (operation: string) => operation.replace(/^v1-/, '')
export const dialectOf = (dialect: string) => DIALECTS[dialect] ?? dialect

/** Unix seconds. */
export const endOf = ({ time, durationSeconds }: RequestAnswer) => time + durationSeconds

/** Tokens of the answer per second while it was made; null where the server counted none or there is no time to speak of. */
export function tokensPerSecond(row: RequestAnswer): number | null {
  const { completionTokens, stream, firstEventSeconds, connectedSeconds, durationSeconds } = row
  if (!completionTokens || firstEventSeconds === null || row.failure) return null
  const from = stream ? firstEventSeconds : connectedSeconds
  const seconds = from === null ? 0 : durationSeconds - from
  return seconds > 0.001 ? completionTokens / seconds : null
}

export const tokensText = ({ promptTokens, completionTokens }: RequestAnswer) =>
  promptTokens === null && completionTokens === null ? DASH : `${count(promptTokens)} / ${count(completionTokens)}`

export const rateText = (row: RequestAnswer) => rate(tokensPerSecond(row))

export const triesText = (tries: number) => (tries === 1 ? '1 try' : `${tries} tries`)

/** One stretch of a request's time. from, to: seconds since it came. */
export interface Phase {
  name: string
  color: string
  from: number
  to: number
}

/** What the time of a request went into, in order; all of it, from its coming to its end. */
export function phasesOf(row: RequestAnswer): Phase[] {
  const { queuedSeconds, connectedSeconds, firstEventSeconds, durationSeconds, stream } = row
  const marks = [
    { at: queuedSeconds, name: failedBefore(row) ? 'Queued and earlier tries' : 'Queued', color: '--c6' },
    { at: connectedSeconds, name: 'Connecting', color: '--c4' },
    { at: firstEventSeconds, name: stream ? 'Waiting for the first token' : 'Waiting for the answer', color: '--c2' },
    { at: durationSeconds, name: 'Answering', color: '--c1' },
  ]
  const phases: Phase[] = []
  let from = 0
  for (const [number, { at, name, color }] of marks.entries()) {
    // Where a mark was never reached, the request ended while it waited for that.
    const to = at ?? durationSeconds
    if (to > from || (at !== null && number < 3)) phases.push({ name, color, from, to: Math.max(from, to) })
    from = Math.max(from, to)
    if (at === null) break
  }
  return phases
}

const failedBefore = ({ attempts, queuedSeconds }: RequestAnswer) =>
  attempts.some((one: AttemptAnswer) => queuedSeconds === null || one.endedSeconds <= queuedSeconds)
