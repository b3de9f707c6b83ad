import { lines, sseEvents } from '../../lib/sse'

/** What a record of an answer tells. seconds: how long the server itself says the answer's tokens took. */
export interface Piece {
  text?: string
  thinking?: string
  promptTokens?: number
  completionTokens?: number
  seconds?: number
  /** The answer ended because no more tokens were allowed. */
  limited?: boolean
}

/** Why there is no whole answer, in words for people. */
export class AnswerError extends Error {}

type Body = ReadableStream<Uint8Array>
type Json = Record<string, unknown>

export const CUT_SHORT = 'The answer was cut short: it broke off before its end.'

/** Pieces of a stream of Ollama's chat. Throws AnswerError for an error record and for a stream without its end. */
export async function* ollamaPieces(body: Body): AsyncGenerator<Piece> {
  for await (const line of lines(body)) {
    if (!line.trim()) continue
    const record = read(line)
    if (record.error !== undefined)
      throw new AnswerError(errorText(record) || 'The server gave an error without words.')
    const { content, thinking } = object(record.message)
    yield { ...text(content, thinking), ...(record.done === true && ollamaEnd(record)) }
    if (record.done === true) return
  }
  throw new AnswerError(CUT_SHORT)
}

const ollamaEnd = ({ prompt_eval_count, eval_count, eval_duration, done_reason }: Json): Piece => ({
  ...number('promptTokens', prompt_eval_count),
  ...number('completionTokens', eval_count),
  ...(typeof eval_duration === 'number' && { seconds: eval_duration / 1e9 }),
  limited: done_reason === 'length',
})

/** Pieces of a stream of OpenAI's chat completions; errors as in ollamaPieces. */
export async function* openaiPieces(body: Body): AsyncGenerator<Piece> {
  for await (const { data } of sseEvents(body)) {
    if (data.trim() === '[DONE]') return
    const record = read(data)
    if (record.error !== undefined && record.error !== null)
      throw new AnswerError(errorText(record) || 'The server gave an error without words.')
    yield openaiPiece(record, 'delta')
  }
  throw new AnswerError(CUT_SHORT)
}

/** An answer in one piece, of a server that does not stream. */
export async function* wholePieces(body: Body): AsyncGenerator<Piece> {
  const record = read(await new Response(body).text())
  if (record.error !== undefined && record.error !== null) throw new AnswerError(errorText(record))
  yield openaiPiece(record, 'message')
}

function openaiPiece(record: Json, member: 'delta' | 'message'): Piece {
  const choice = object(Array.isArray(record.choices) ? record.choices[0] : null)
  const { content, refusal, reasoning_content, reasoning } = object(choice[member])
  const { prompt_tokens, completion_tokens } = object(record.usage)
  return {
    ...text(content || refusal, reasoning_content || reasoning),
    ...number('promptTokens', prompt_tokens),
    ...number('completionTokens', completion_tokens),
    ...(choice.finish_reason === 'length' && { limited: true }),
  }
}

/** The words of an error body of either API, "" where there are none. */
export function errorText(body: unknown): string {
  const { error } = object(body)
  if (typeof error === 'string') return error
  const { message } = object(error)
  return typeof message === 'string' ? message : ''
}

function read(json: string): Json {
  try {
    return object(JSON.parse(json))
  } catch {
    throw new AnswerError('The server sent something that is no JSON.')
  }
}

const object = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}

const text = (content: unknown, thinking: unknown): Piece => ({
  ...(typeof content === 'string' && content !== '' && { text: content }),
  ...(typeof thinking === 'string' && thinking !== '' && { thinking }),
})

const number = (name: 'promptTokens' | 'completionTokens', value: unknown): Piece =>
  typeof value === 'number' ? { [name]: value } : {}
