export interface SseEvent {
  event: string
  data: string
}

/** Reads server-sent events from a fetch body; chunks may split lines, line ends and UTF-8 sequences. */
export async function* sseEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<SseEvent> {
  let event = ''
  let data: string[] = []
  for await (const line of lines(body)) {
    if (line === '') {
      if (data.length) yield { event: event || 'message', data: data.join('\n') }
      event = ''
      data = []
    } else if (line.startsWith('data:')) data.push(line.slice(line[5] === ' ' ? 6 : 5))
    else if (line.startsWith('event:')) event = line.slice(6).trim()
  }
  if (data.length) yield { event: event || 'message', data: data.join('\n') }
}

/** Lines of a fetch body without their ends (LF, CRLF or CR). */
export async function* lines(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  const reader = body.getReader()
  let rest = ''
  try {
    for (;;) {
      const { done, value } = await reader.read()
      rest += done ? decoder.decode() : decoder.decode(value, { stream: true })
      // A CR at the very end may be the first half of CRLF.
      const found = rest.split(done ? /\r\n|\n|\r/ : /\r\n|\n|\r(?!$)/)
      rest = found.pop() ?? ''
      yield* found
      if (done) {
        if (rest) yield rest
        return
      }
    }
  } finally {
    await reader.cancel().catch(() => {})
  }
}
