import { afterEach, describe, expect, it, vi } from 'vitest'
import { begun } from './answer'
import { NO_OPTIONS, type Target } from './ask'
import { Conversation, isBusy, saidTo, type Turn } from './conversation'

afterEach(() => void vi.unstubAllGlobals())

const target = (model: string): Target => ({ model, style: 'ollama', server: null, options: NO_OPTIONS })

/** Models that answer with their name and how many messages they were told. Returns what they were told. */
function answering() {
  const asked: { model: string; messages: { role: string; content: string }[] }[] = []
  vi.stubGlobal(
    'fetch',
    vi.fn(async (_: string, init: RequestInit) => {
      const body = JSON.parse(String(init.body))
      asked.push(body)
      return new Response(
        `${JSON.stringify({ message: { content: `${body.model} ${body.messages.length}` }, done: true })}\n`,
      )
    }),
  )
  return asked
}
const texts = (conversation: Conversation) => conversation.get().map(({ answers }) => answers.map(({ text }) => text))

it('goes on over several turns, with what each side itself has said', async () => {
  const asked = answering()
  const conversation = new Conversation()
  await conversation.ask('One', [target('a'), target('b')])
  await conversation.ask('Two', [target('a'), target('b')])
  expect(texts(conversation)).toEqual([
    ['a 1', 'b 1'],
    ['a 3', 'b 3'],
  ])
  expect(asked[3]?.messages).toEqual([
    { role: 'user', content: 'One' },
    { role: 'assistant', content: 'b 1' },
    { role: 'user', content: 'Two' },
  ])
})

it('forgets everything when it is cleared, also what comes later', async () => {
  answering()
  const conversation = new Conversation()
  const asking = conversation.ask('One', [target('a')])
  expect(isBusy(conversation.get())).toBe(true)
  conversation.clear()
  await asking
  expect(conversation.get()).toEqual([])
})

it('tells its watchers at most ten times a second while an answer grows', async () => {
  vi.useFakeTimers()
  const records = Array.from({ length: 200 }, () => `${JSON.stringify({ message: { content: 'x' } })}\n`).join('')
  vi.stubGlobal(
    'fetch',
    vi.fn(async () => new Response(`${records}{"done":true}\n`)),
  )
  const conversation = new Conversation()
  const told = vi.fn()
  conversation.watch(told)
  await conversation.ask('One', [target('a')])
  vi.useRealTimers()
  expect(texts(conversation)).toEqual([['x'.repeat(200)]])
  expect(told.mock.calls.length).toBeLessThan(5)
})

describe('what a side was told', () => {
  const answers = (...said: string[]) => said.map((text) => ({ ...begun(target('a')), state: 'done' as const, text }))
  const turns: Turn[] = [
    { number: 1, prompt: 'One', targets: [], answers: answers('<think>hm</think>First') },
    { number: 2, prompt: 'Two', targets: [], answers: answers('') },
    { number: 3, prompt: 'Three', targets: [], answers: answers('Left', 'Right') },
  ]
  it('leaves out thinking and turns that failed', () => {
    expect(saidTo(turns, 0).map(({ content }) => content)).toEqual(['One', 'First', 'Three', 'Left'])
  })
  it('takes what there is from before a second model was asked', () => {
    expect(saidTo(turns, 1).map(({ content }) => content)).toEqual(['One', 'First', 'Three', 'Right'])
  })
})
