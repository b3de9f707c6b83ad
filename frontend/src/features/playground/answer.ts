import { bodyOf, headersOf, type Message, STYLES, type Style, type Target } from './ask'
import { AnswerError, CUT_SHORT, errorText, ollamaPieces, openaiPieces, type Piece, wholePieces } from './parse'

/** seconds: measured here. Tokens: as the server counted them, null where it did not. */
export interface Answer {
  model: string
  style: Style
  state: 'waiting' | 'answering' | 'done' | 'stopped' | 'failed'
  text: string
  thinking: string
  error: string
  server: string | null
  tries: number | null
  requestId: string | null
  firstTokenSeconds: number | null
  seconds: number | null
  promptTokens: number | null
  completionTokens: number | null
  tokensPerSecond: number | null
  limited: boolean
}

export const begun = ({ model, style }: Target): Answer => ({
  model,
  style,
  state: 'waiting',
  text: '',
  thinking: '',
  error: '',
  server: null,
  tries: null,
  requestId: null,
  firstTokenSeconds: null,
  seconds: null,
  promptTokens: null,
  completionTokens: null,
  tokensPerSecond: null,
  limited: false,
})

export const isOver = ({ state }: Answer) => state !== 'waiting' && state !== 'answering'

/** Asks, and tells of the answer whenever it has grown. Never throws: what went wrong is in the answer. now: milliseconds. */
export async function answer(
  target: Target,
  said: readonly Message[],
  signal: AbortSignal,
  tell: (answer: Answer) => void,
  now: () => number = () => performance.now(),
): Promise<void> {
  const from = now()
  const since = () => (now() - from) / 1000
  let current = begun(target)
  const change = (part: Partial<Answer>) => {
    current = { ...current, ...part }
    tell(current)
  }
  try {
    const response = await fetch(STYLES[target.style].path, {
      method: 'POST',
      headers: headersOf(target),
      body: JSON.stringify(bodyOf(target, said)),
      credentials: 'omit',
      signal,
    })
    change(factsOf(response.headers))
    for await (const piece of await piecesOf(response, target.style)) change(grown(current, piece, since()))
    const seconds = since()
    change({ state: 'done', seconds, tokensPerSecond: speed(current, seconds) })
  } catch (error) {
    const state = signal.aborted ? 'stopped' : 'failed'
    change({ state, seconds: since(), error: state === 'failed' ? wordsOf(error, current) : '' })
  }
}

const factsOf = (headers: Headers): Partial<Answer> => {
  const tries = headers.get('x-orchestrator-attempts')
  return {
    server: headers.get('x-orchestrator-server'),
    tries: tries === null ? null : Number(tries),
    requestId: headers.get('x-request-id'),
  }
}

async function piecesOf(response: Response, style: Style): Promise<AsyncGenerator<Piece>> {
  if (!response.ok || !response.body) throw new AnswerError(await refusalOf(response))
  if (style === 'ollama') return ollamaPieces(response.body)
  const isWhole = response.headers.get('content-type')?.startsWith('application/json')
  return isWhole ? wholePieces(response.body) : openaiPieces(response.body)
}

async function refusalOf(response: Response): Promise<string> {
  const words = errorText(await response.json().catch(() => null))
  return words ? `${response.status}: ${words}` : `The answer was ${response.status} ${response.statusText}`.trim()
}

function grown(current: Answer, piece: Piece, seconds: number): Partial<Answer> {
  const useful = piece.text !== undefined || piece.thinking !== undefined
  return {
    state: useful ? 'answering' : current.state,
    text: current.text + (piece.text ?? ''),
    thinking: current.thinking + (piece.thinking ?? ''),
    firstTokenSeconds: current.firstTokenSeconds ?? (useful ? seconds : null),
    promptTokens: piece.promptTokens ?? current.promptTokens,
    completionTokens: piece.completionTokens ?? current.completionTokens,
    tokensPerSecond: rateOf(piece) ?? current.tokensPerSecond,
    limited: current.limited || piece.limited === true,
  }
}

/** As the server itself timed it. */
const rateOf = ({ completionTokens, seconds }: Piece) =>
  completionTokens && seconds ? completionTokens / seconds : null

/** Where the server did not say how long it took: its tokens over the time from the first one on. */
function speed({ tokensPerSecond, completionTokens, firstTokenSeconds }: Answer, seconds: number): number | null {
  if (tokensPerSecond !== null) return tokensPerSecond
  if (!completionTokens || firstTokenSeconds === null) return null
  const took = seconds - firstTokenSeconds
  return took > 0.001 ? completionTokens / took : null
}

function wordsOf(error: unknown, { state }: Answer): string {
  const began = state === 'answering'
  if (error instanceof AnswerError)
    return began && error.message !== CUT_SHORT ? `The answer was cut short: ${error.message}` : error.message
  return !began
    ? 'The orchestrator cannot be reached, or the connection broke before there was an answer.'
    : 'The answer was cut short: the connection broke before its end.'
}
