import { useSyncExternalStore } from 'react'
import { type Answer, answer, begun, isOver } from './answer'
import type { Message, Target } from './ask'
import { parted } from './thinking'

/** One prompt, and an answer of each model that was asked. */
export interface Turn {
  number: number
  prompt: string
  targets: readonly Target[]
  answers: readonly Answer[]
}

const PAUSE_MS = 100

/** A conversation with one model or two, outside React and kept nowhere. Watchers are told at most ten times a second. */
export class Conversation {
  private turns: readonly Turn[] = []
  private snapshot: readonly Turn[] = []
  private stopping: AbortController | null = null
  private timer: ReturnType<typeof setTimeout> | undefined
  private count = 0
  private readonly watchers = new Set<() => void>()

  watch = (watcher: () => void) => {
    this.watchers.add(watcher)
    return () => void this.watchers.delete(watcher)
  }

  get = () => this.snapshot

  /** One prompt to all. Ends when all have answered. */
  async ask(prompt: string, targets: readonly Target[]): Promise<void> {
    this.stop()
    const stopping = new AbortController()
    this.stopping = stopping
    const number = ++this.count
    const before = this.turns
    this.turns = [...before, { number, prompt, targets, answers: targets.map(begun) }]
    this.tell()
    await Promise.all(
      targets.map((target, side) =>
        answer(target, asking(before, side, prompt), stopping.signal, (now) => this.take(number, side, now)),
      ),
    )
  }

  /** The requests themselves are ended: the servers stop too. */
  stop = () => {
    this.stopping?.abort()
    this.stopping = null
  }

  clear = () => {
    this.stop()
    this.turns = []
    this.tell()
  }

  private take(number: number, side: number, now: Answer) {
    this.turns = this.turns.map((turn) =>
      turn.number === number ? { ...turn, answers: turn.answers.with(side, now) } : turn,
    )
    if (isOver(now)) this.tell()
    else this.timer ??= setTimeout(this.tell, PAUSE_MS)
  }

  private tell = () => {
    clearTimeout(this.timer)
    this.timer = undefined
    this.snapshot = this.turns
    for (const watcher of this.watchers) watcher()
  }
}

export const useTurns = (conversation: Conversation) => useSyncExternalStore(conversation.watch, conversation.get)

export const isBusy = (turns: readonly Turn[]) => turns.at(-1)?.answers.some((one) => !isOver(one)) ?? false

/** What a prompt sends to one side: what was said before, and itself. */
export const asking = (before: readonly Turn[], side: number, prompt: string): Message[] => [
  ...saidTo(before, side),
  { role: 'user', content: prompt },
]

/** What one side has been told and has said, without what it was thinking. Turns without any answer are left out. */
export function saidTo(turns: readonly Turn[], side: number): Message[] {
  return turns.flatMap(({ prompt, answers }): Message[] => {
    const text = parted((answers[side] ?? answers[0])?.text ?? '').text
    if (!text) return []
    return [
      { role: 'user', content: prompt },
      { role: 'assistant', content: text },
    ]
  })
}
