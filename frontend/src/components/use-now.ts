import { useSyncExternalStore } from 'react'
import { serverNow } from '../api/live'

/** One timer for all who want the time this often: they change together, in one go. */
class Ticker {
  private now = serverNow()
  private timer: ReturnType<typeof setInterval> | undefined
  private readonly watchers = new Set<() => void>()

  constructor(private readonly everySeconds: number) {}

  watch = (watcher: () => void) => {
    if (!this.watchers.size) {
      this.now = serverNow()
      this.timer = setInterval(this.tick, this.everySeconds * 1000)
    }
    this.watchers.add(watcher)
    return () => {
      this.watchers.delete(watcher)
      if (!this.watchers.size) clearInterval(this.timer)
    }
  }

  get = () => this.now

  private tick = () => {
    this.now = serverNow()
    for (const watcher of this.watchers) watcher()
  }
}

const tickers = new Map<number, Ticker>()

function tickerOf(everySeconds: number): Ticker {
  const ticker = tickers.get(everySeconds) ?? new Ticker(everySeconds)
  tickers.set(everySeconds, ticker)
  return ticker
}

/** Unix seconds by the orchestrator's clock, new every so often; up to that much too old. */
export function useNow(everySeconds = 1): number {
  const ticker = tickerOf(everySeconds)
  return useSyncExternalStore(ticker.watch, ticker.get)
}
