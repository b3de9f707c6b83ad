import { describe, expect, it } from 'vitest'
import { errorText, ollamaPieces, openaiPieces, type Piece, wholePieces } from './parse'

/** The text as a body in pieces of so many bytes. */
function cut(text: string, size = text.length): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text)
  return new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size))
      controller.close()
    },
  })
}

async function all(pieces: AsyncGenerator<Piece>): Promise<Piece> {
  const sum: Piece = {}
  for await (const { text, thinking, ...rest } of pieces) {
    if (text !== undefined) sum.text = (sum.text ?? '') + text
    if (thinking !== undefined) sum.thinking = (sum.thinking ?? '') + thinking
    Object.assign(sum, rest)
  }
  return sum
}

const json = (...records: object[]) => records.map((record) => `${JSON.stringify(record)}\n`).join('')
const sse = (...records: (object | string)[]) =>
  records.map((record) => `data: ${typeof record === 'string' ? record : JSON.stringify(record)}\n\n`).join('')
const says = (content: string, more: object = {}) => ({ message: { role: 'assistant', content }, done: false, ...more })
const delta = (more: object, finish: string | null = null) => ({ choices: [{ delta: more, finish_reason: finish }] })

describe("a stream of Ollama's chat", () => {
  const end = { done: true, done_reason: 'stop', prompt_eval_count: 7, eval_count: 3, eval_duration: 1.5e9 }
  const thinks = { message: { role: 'assistant', content: '', thinking: 'hm, żółw' }, done: false }
  const stream = json(thinks, says('A '), says('turtle 🐢'), { ...says(''), ...end })

  it('is read whole however its bytes are cut', async () => {
    const wanted = {
      text: 'A turtle 🐢',
      thinking: 'hm, żółw',
      promptTokens: 7,
      completionTokens: 3,
      seconds: 1.5,
      limited: false,
    }
    for (let size = 1; size <= 64; size++)
      expect(await all(ollamaPieces(cut(stream, size))), `pieces of ${size}`).toEqual(wanted)
  })
  it('may be one record for all', async () => {
    expect(await all(ollamaPieces(cut(JSON.stringify({ ...says('All.'), ...end }))))).toMatchObject({ text: 'All.' })
  })
  it('is cut short without its end', async () => {
    await expect(all(ollamaPieces(cut(json(says('A ')))))).rejects.toThrow('cut short')
    await expect(all(ollamaPieces(cut('')))).rejects.toThrow('cut short')
  })
  it('ends with the words of an error record', async () => {
    await expect(all(ollamaPieces(cut(json(says('A '), { error: 'out of memory' }))))).rejects.toThrow('out of memory')
    await expect(all(ollamaPieces(cut(json({ error: '' }))))).rejects.toThrow('without words')
  })
  it('may be no JSON at all', async () => {
    await expect(all(ollamaPieces(cut('<html>\n')))).rejects.toThrow('no JSON')
  })
  it('says that it ended at the limit, and nothing of what was not counted', async () => {
    expect(await all(ollamaPieces(cut(json({ ...says('A'), done: true, done_reason: 'length' }))))).toEqual({
      text: 'A',
      limited: true,
    })
  })
})

describe("a stream of OpenAI's chat completions", () => {
  const usage = { choices: [], usage: { prompt_tokens: 7, completion_tokens: 3 } }
  const stream = sse(
    delta({ role: 'assistant', content: '' }),
    delta({ reasoning_content: 'hm, ' }),
    delta({ reasoning: 'żółw' }),
    delta({ content: 'A ' }),
    delta({ content: 'turtle 🐢' }, 'length'),
    usage,
    '[DONE]',
  )

  it('is read whole however its bytes are cut', async () => {
    const wanted = { text: 'A turtle 🐢', thinking: 'hm, żółw', promptTokens: 7, completionTokens: 3, limited: true }
    for (let size = 1; size <= 64; size++)
      expect(await all(openaiPieces(cut(`: ping\n\n${stream}`, size))), `pieces of ${size}`).toEqual(wanted)
  })
  it('is cut short without its end, even after a finish reason', async () => {
    await expect(all(openaiPieces(cut(sse(delta({ content: 'A' }, 'stop')))))).rejects.toThrow('cut short')
  })
  it('ends with the words of an error, whatever follows', async () => {
    const broken = sse(delta({ content: 'A' }), { error: { message: 'upstream error: gone', code: 'x' } }, '[DONE]')
    await expect(all(openaiPieces(cut(broken)))).rejects.toThrow('upstream error: gone')
  })
  it('takes a refusal for what was said', async () => {
    expect(await all(openaiPieces(cut(sse(delta({ refusal: 'No.' }), '[DONE]'))))).toEqual({ text: 'No.' })
  })
})

it('reads an answer in one piece, and an error in its place', async () => {
  const whole = { choices: [{ message: { content: 'All.' } }], usage: { prompt_tokens: 1, completion_tokens: 2 } }
  expect(await all(wholePieces(cut(JSON.stringify(whole))))).toEqual({
    text: 'All.',
    promptTokens: 1,
    completionTokens: 2,
  })
  await expect(all(wholePieces(cut(JSON.stringify({ error: { message: 'no' } }))))).rejects.toThrow('no')
})

it('finds the words in error bodies of both APIs', () => {
  expect(errorText({ error: 'model not found' })).toBe('model not found')
  expect(errorText({ error: { message: 'model not found', code: 'x' } })).toBe('model not found')
  expect([errorText(null), errorText('x'), errorText({ error: { message: 3 } }), errorText([])]).toEqual([
    '',
    '',
    '',
    '',
  ])
})
