import { act, render, screen } from '@testing-library/react'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Providers } from '../app/providers'
import { Ago } from './ago'

beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }))
afterEach(() => void vi.useRealTimers())

const shown = (time: number | string | null) => render(<Ago time={time} />, { wrapper: Providers })

it('grows older while it is looked at', () => {
  shown(990)
  expect(screen.getByText('10 s ago')).toBeInTheDocument()
  act(() => vi.advanceTimersByTime(20_000))
  expect(screen.getByText('30 s ago')).toBeInTheDocument()
})

it('never puts what has just happened into the future', () => {
  shown(1004)
  expect(screen.getByText('just now')).toBeInTheDocument()
})

it('still tells what is really ahead', () => {
  shown('1970-01-01T00:26:40Z')
  expect(screen.getByText('in 10 min')).toBeInTheDocument()
})

it('is a dash where no time is known', () => {
  shown(null)
  expect(screen.getByText('–')).toBeInTheDocument()
})
