import { act, render, screen } from '@testing-library/react'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { useNow } from './use-now'

let drawn = 0
function Clock({ every }: { every?: number }) {
  drawn++
  return <output>{useNow(every)}</output>
}
const told = () => screen.getAllByRole('status').map((output) => Number(output.textContent))

beforeEach(() => {
  drawn = 0
  vi.useFakeTimers({ now: 1_000_000 })
})
afterEach(() => void vi.useRealTimers())

it('moves every so often, not in between', () => {
  render(<Clock every={5} />)
  act(() => vi.advanceTimersByTime(4_999))
  expect(told()).toEqual([1000])
  act(() => vi.advanceTimersByTime(1))
  expect(told()).toEqual([1005])
})

it('shows the time of now to who comes after a pause', () => {
  const { unmount } = render(<Clock every={60} />)
  unmount()
  vi.setSystemTime(5_000_000)
  render(<Clock every={60} />)
  expect(told()).toEqual([5000])
})

it('keeps one timer for all, and none when nobody is left', () => {
  const { unmount } = render(
    <>
      <Clock every={7} />
      <Clock every={7} />
      <Clock every={7} />
    </>,
  )
  expect(vi.getTimerCount()).toBe(1)
  drawn = 0
  act(() => vi.advanceTimersByTime(7_000))
  expect(drawn).toBe(3)
  expect(new Set(told())).toEqual(new Set([1007]))
  unmount()
  expect(vi.getTimerCount()).toBe(0)
})
