import { describe, expect, it } from 'vitest'
import { lines, sseEvents } from './sse'

const stream = (parts: Uint8Array<ArrayBuffer>[]) =>
  new ReadableStream<Uint8Array>({
    start(controller) {
      for (const part of parts) controller.enqueue(part)
      controller.close()
    },
  })

const cut = (text: string, size: number) => {
  const bytes = new TextEncoder().encode(text)
  const parts = []
  for (let at = 0; at < bytes.length; at += size) parts.push(bytes.slice(at, at + size))
  return stream(parts)
}

async function all<T>(found: AsyncGenerator<T>) {
  const list: T[] = []
  for await (const one of found) list.push(one)
  return list
}

describe('sseEvents', () => {
  const text = 'data: {"a":"żółw 🐢"}\r\n\r\n: ping\n\nevent: stop\ndata: one\ndata: two\n\ndata: [DONE]\n\n'
  const wanted = [
    { event: 'message', data: '{"a":"żółw 🐢"}' },
    { event: 'stop', data: 'one\ntwo' },
    { event: 'message', data: '[DONE]' },
  ]
  it('reads every event however the bytes are cut', async () => {
    for (let size = 1; size <= text.length + 8; size++)
      expect(await all(sseEvents(cut(text, size))), `pieces of ${size}`).toEqual(wanted)
  })
  it('gives the last event even without its empty line', async () => {
    expect(await all(sseEvents(cut('data: x', 3)))).toEqual([{ event: 'message', data: 'x' }])
  })
})

describe('lines', () => {
  it('knows all three line ends however the bytes are cut', async () => {
    for (let size = 1; size < 9; size++)
      expect(await all(lines(cut('a\rb\r\nc\nd', size)))).toEqual(['a', 'b', 'c', 'd'])
  })
})
