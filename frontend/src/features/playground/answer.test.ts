import { afterEach, expect, it, vi } from 'vitest'
import { type Answer, answer } from './answer'
import { NO_OPTIONS, type Style } from './ask'

afterEach(() => void vi.unstubAllGlobals())

const headers = { 'x-orchestrator-server': 'gpu-1', 'x-orchestrator-attempts': '2', 'x-request-id': 'r1' }
const lines = (...records: object[]) => records.map((record) => `${JSON.stringify(record)}\n`).join('')

/** Asks a server that answers like this. Every look at the clock is a second later. */
async function asking(response: () => Response | Promise<Response>, style: Style = 'ollama') {
  vi.stubGlobal(
    'fetch',
    vi.fn(async () => response()),
  )
  const told: Answer[] = []
  let seconds = 0
  const stopping = new AbortController()
  const target = { model: 'm', style, server: null, options: NO_OPTIONS }
  const done = answer(
    target,
    [],
    stopping.signal,
    (now) => told.push(now),
    () => 1000 * seconds++,
  )
  await done
  return { told, last: told.at(-1) as Answer, stopping }
}

it('tells who answered, how soon, and what the server counted', async () => {
  const body = lines(
    { message: { content: 'Hel' } },
    { message: { content: 'lo' } },
    { done: true, prompt_eval_count: 3, eval_count: 40, eval_duration: 2e9 },
  )
  const { told, last } = await asking(() => new Response(body, { headers }))
  expect(told[0]).toMatchObject({ state: 'waiting', server: 'gpu-1', tries: 2, requestId: 'r1' })
  expect(told[1]).toMatchObject({ state: 'answering', text: 'Hel', firstTokenSeconds: 1 })
  expect(last).toMatchObject({
    state: 'done',
    text: 'Hello',
    firstTokenSeconds: 1,
    promptTokens: 3,
    completionTokens: 40,
    tokensPerSecond: 20,
    error: '',
  })
})

it('counts tokens per second from the first one where the server did not time them', async () => {
  const chunk = { choices: [{ delta: { content: 'A' } }] }
  const usage = { choices: [], usage: { prompt_tokens: 1, completion_tokens: 30 } }
  const body = `data: ${JSON.stringify(chunk)}\n\ndata: ${JSON.stringify(usage)}\n\ndata: [DONE]\n\n`
  const { last } = await asking(
    () => new Response(body, { headers: { 'content-type': 'text/event-stream' } }),
    'openai',
  )
  expect(last.tokensPerSecond).toBe(30 / ((last.seconds ?? 0) - (last.firstTokenSeconds ?? 0)))
  expect(last).toMatchObject({ state: 'done', server: null, tries: null, requestId: null })
})

it('leaves unknown what nobody counted', async () => {
  const { last } = await asking(() => new Response(lines({ message: { content: 'A' } }, { done: true })))
  expect(last).toMatchObject({ state: 'done', promptTokens: null, completionTokens: null, tokensPerSecond: null })
})

it('takes an answer in one piece from a server that does not stream', async () => {
  const whole = { choices: [{ message: { content: 'All.' } }] }
  expect((await asking(() => Response.json(whole), 'openai')).last).toMatchObject({ state: 'done', text: 'All.' })
})

it('says what a refusal says, in either API', async () => {
  const refused = () => Response.json({ error: "model 'm' not found" }, { status: 404, headers })
  expect((await asking(refused)).last).toMatchObject({
    state: 'failed',
    error: "404: model 'm' not found",
    requestId: 'r1',
  })
  const busy = () => Response.json({ error: { message: 'too busy' } }, { status: 503 })
  expect((await asking(busy, 'openai')).last.error).toBe('503: too busy')
  expect((await asking(() => new Response('<html>', { status: 502, statusText: 'Bad Gateway' }))).last.error).toBe(
    'The answer was 502 Bad Gateway',
  )
})

it('calls an answer that breaks off a failure and keeps what there was of it', async () => {
  const { last } = await asking(() => new Response(lines({ message: { content: 'A' } })))
  expect(last).toMatchObject({ state: 'failed', text: 'A', error: expect.stringContaining('cut short') })
  const told = await asking(() => new Response(lines({ message: { content: 'A' } }, { error: 'out of memory' })))
  expect(told.last.error).toBe('The answer was cut short: out of memory')
})

it('says that the orchestrator cannot be reached', async () => {
  const { last } = await asking(() => Promise.reject(new TypeError('Failed to fetch')))
  expect(last).toMatchObject({ state: 'failed', error: expect.stringContaining('cannot be reached') })
})

it('ends the request itself when it is stopped, which is no failure', async () => {
  const stopping = new AbortController()
  let signal: AbortSignal | undefined
  vi.stubGlobal(
    'fetch',
    vi.fn(async (_: string, init: RequestInit) => {
      signal = init.signal ?? undefined
      const body = new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode(lines({ message: { content: 'A' } })))
          init.signal?.addEventListener('abort', () => controller.error(new DOMException('', 'AbortError')))
        },
      })
      return new Response(body, { headers })
    }),
  )
  const told: Answer[] = []
  const target = { model: 'm', style: 'ollama' as const, server: null, options: NO_OPTIONS }
  const done = answer(target, [], stopping.signal, (now) => told.push(now))
  await vi.waitFor(() => expect(told.at(-1)?.text).toBe('A'))
  stopping.abort()
  await done
  expect(signal?.aborted).toBe(true)
  expect(told.at(-1)).toMatchObject({ state: 'stopped', text: 'A', error: '' })
})
