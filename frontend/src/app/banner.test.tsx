import { act, screen } from '@testing-library/react'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { live } from '../api/live'
import { answering, show } from '../test/render'
import { aServer } from '../test/servers'
import { type FakeSource, fakeSources } from '../test/stream'
import { Banner } from './banner'

let opened: FakeSource[]
let stop: () => void
const newest = () => opened.at(-1) as FakeSource
const serving = (...statuses: string[]) =>
  answering({
    'GET /servers': () => ({ json: statuses.map((status, at) => aServer({ id: `s${at}`, status })) }),
    'GET /session': () => ({ json: { required: false, signedIn: true, expiresTime: null } }),
  })

beforeEach(() => {
  vi.useFakeTimers({ shouldAdvanceTime: true })
  opened = fakeSources()
  stop = live.start()
})
afterEach(() => {
  stop()
  vi.useRealTimers()
})

it('says nothing while all is well', async () => {
  serving('healthy', 'down')
  const { client } = show(<Banner />)
  await vi.waitFor(() => expect(client.getQueryData(['servers'])).toBeDefined())
  act(() => newest().hello())
  expect(screen.queryByRole('alert')).toBeNull()
})

it('says that no server takes requests', async () => {
  serving('down', 'draining', 'disabled', 'configError')
  show(<Banner />)
  expect(await screen.findByRole('alert')).toHaveTextContent('No server takes requests.')
})

it('says nothing of a fleet that was not probed yet, or has no server', async () => {
  serving('unknown')
  const { client } = show(<Banner />)
  await vi.waitFor(() => expect(client.getQueryData(['servers'])).toBeDefined())
  expect(screen.queryByRole('alert')).toBeNull()
  act(() => void client.setQueryData(['servers'], []))
  expect(screen.queryByRole('alert')).toBeNull()
})

it('has patience with a stream that breaks, then offers to try again', async () => {
  serving('healthy')
  const { user } = show(<Banner />)
  act(() => newest().hello())
  act(() => newest().fail())
  await act(() => vi.advanceTimersByTimeAsync(9000))
  expect(screen.queryByRole('alert')).toBeNull()
  act(() => newest().fail())
  await act(() => vi.advanceTimersByTimeAsync(1500))
  expect(screen.getByRole('alert')).toHaveTextContent('Live updates have been missing since')
  const before = opened.length
  act(() => newest().fail())
  vi.useRealTimers()
  await user.click(screen.getByRole('button', { name: 'Try now' }))
  expect(opened.length).toBe(before + 1)
  act(() => newest().hello())
  expect(screen.queryByRole('alert')).toBeNull()
})

it('asks to reload when another version runs', async () => {
  serving('healthy')
  show(<Banner />)
  act(() => newest().hello({ build: 'another' }))
  expect(await screen.findByRole('button', { name: 'Reload' })).toBeVisible()
})
