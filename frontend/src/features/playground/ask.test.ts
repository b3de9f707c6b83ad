import { expect, it } from 'vitest'
import { bodyOf, commandOf, headersOf, NO_OPTIONS, type Target } from './ask'

const target = (some: Partial<Target> = {}): Target => ({
  model: 'm',
  style: 'ollama',
  server: null,
  options: NO_OPTIONS,
  ...some,
})
const said = [{ role: 'user' as const, content: 'Hi' }]
const all = {
  system: 'Be brief.',
  temperature: 0,
  maxTokens: 64,
  topP: 0.9,
  seed: 7,
  contextLength: 8192,
  keepAlive: '10m',
}

it('leaves to the server what is not chosen', () => {
  expect(bodyOf(target(), said)).toEqual({ model: 'm', stream: true, messages: said })
  expect(bodyOf(target({ style: 'openai' }), said)).toEqual({
    model: 'm',
    stream: true,
    stream_options: { include_usage: true },
    messages: said,
  })
})

it('sends every option under the name that it has in each API', () => {
  const messages = [{ role: 'system', content: 'Be brief.' }, ...said]
  expect(bodyOf(target({ options: all }), said)).toEqual({
    model: 'm',
    stream: true,
    messages,
    options: { temperature: 0, num_predict: 64, top_p: 0.9, seed: 7, num_ctx: 8192 },
    keep_alive: '10m',
  })
  expect(bodyOf(target({ style: 'openai', options: all }), said)).toEqual({
    model: 'm',
    stream: true,
    stream_options: { include_usage: true },
    messages,
    temperature: 0,
    max_tokens: 64,
    top_p: 0.9,
    seed: 7,
  })
})

it('sends seconds as a number, for a duration in text needs its unit', () => {
  const kept = (keepAlive: string) => bodyOf(target({ options: { ...NO_OPTIONS, keepAlive } }), said).keep_alive
  expect([kept('-1'), kept(' 300 '), kept('5m'), kept(' ')]).toEqual([-1, 300, '5m', undefined])
})

it('names a server only where one is fixed', () => {
  expect(headersOf(target())).toEqual([['Content-Type', 'application/json']])
  expect(headersOf(target({ server: 'gpu-1' }))).toContainEqual(['X-Orchestrator-Server', 'gpu-1'])
})

it('writes the very same request as a command', () => {
  expect(commandOf(target({ server: 'gpu-1' }), said, 'http://here:5100')).toBe(
    [
      'curl -N http://here:5100/api/chat',
      "-H 'Content-Type: application/json'",
      "-H 'X-Orchestrator-Server: gpu-1'",
      `-d '{"model":"m","stream":true,"messages":[{"role":"user","content":"Hi"}]}'`,
    ].join(' \\\n  '),
  )
})
