import { expect, it } from 'vitest'
import { followed } from './followed'
import type { Snapshot, StreamState } from './live'

/** A stream that is `state`, and an answer that counts how often it was asked for. */
function fetching(state: StreamState) {
  const now = { state } as Snapshot
  let begin: () => void = () => {}
  const settled = new Promise<void>((resolve) => {
    begin = resolve
  })
  let answer: (of: number) => void = () => {}
  let asked = 0
  const get = () => {
    asked++
    return new Promise<number>((resolve) => {
      answer = resolve
    })
  }
  const found = followed(get, { settled: () => settled, get: () => now })
  const pass = () => new Promise((resolve) => setTimeout(resolve))
  return { now, found, pass, begin: () => begin(), answer: (of: number) => answer(of), asked: () => asked }
}

it('asks once, after the stream has begun', async () => {
  const { now, found, pass, begin, answer, asked } = fetching('connecting')
  await pass()
  expect(asked()).toBe(0)
  now.state = 'live'
  begin()
  await pass()
  answer(1)
  expect(await found).toBe(1)
  expect(asked()).toBe(1)
})

it('asks again where the stream began meanwhile: the answer may be older than that', async () => {
  const { now, found, pass, begin, answer, asked } = fetching('connecting')
  begin()
  await pass()
  expect(asked()).toBe(1)
  now.state = 'live'
  answer(1)
  await pass()
  expect(asked()).toBe(2)
  answer(2)
  expect(await found).toBe(2)
})

it('is content with what there is where no stream begins', async () => {
  const { found, pass, begin, answer, asked } = fetching('lost')
  begin()
  await pass()
  answer(1)
  expect(await found).toBe(1)
  expect(asked()).toBe(1)
})
