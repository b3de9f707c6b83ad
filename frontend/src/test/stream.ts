import { vi } from 'vitest'

/** Stands in for the browser's EventSource. */
export class FakeSource {
  onerror: (() => void) | null = null
  closed = false
  private readonly listeners = new Map<string, ((message: MessageEvent<string>) => void)[]>()

  constructor(readonly url: string) {}

  addEventListener(name: string, listener: (message: MessageEvent<string>) => void) {
    this.listeners.set(name, [...(this.listeners.get(name) ?? []), listener])
  }

  close() {
    this.closed = true
  }

  say(name: string, data: object, id = '') {
    for (const listener of this.listeners.get(name) ?? [])
      listener(new MessageEvent(name, { data: JSON.stringify(data), lastEventId: id }))
  }

  hello(more: { build?: string; resumed?: boolean } = {}, id = 'boot-1') {
    this.say('hello', { build: 'one', time: Date.now() / 1000, resumed: false, ...more }, id)
  }

  fail() {
    this.onerror?.()
  }
}

/** The global EventSource is a fake from now on; the list of those that were opened. */
export function fakeSources(): FakeSource[] {
  const opened: FakeSource[] = []
  class Opened extends FakeSource {
    constructor(url: string) {
      super(url)
      opened.push(this)
    }
  }
  vi.stubGlobal('EventSource', Opened)
  return opened
}
