import { act, screen } from '@testing-library/react'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { live } from '../api/live'
import { show } from '../test/render'
import { type FakeSource, fakeSources } from '../test/stream'
import { Broken } from './fallbacks'

const unloaded = new TypeError('Failed to fetch dynamically imported module: /ui/assets/about.js')
let opened: FakeSource[]
let stop: () => void
const reload = vi.fn()

beforeEach(() => {
  reload.mockClear()
  vi.stubGlobal('location', { ...window.location, reload })
  opened = fakeSources()
  stop = live.start()
})
afterEach(() => {
  stop()
  vi.unstubAllGlobals()
})

it('says that the connection is missing, and reloads when the stream is back', async () => {
  opened.at(-1)?.hello()
  show(<Broken error={unloaded} />)
  expect(await screen.findByText('The connection is missing')).toBeVisible()
  act(() => opened.at(-1)?.fail())
  expect(reload).not.toHaveBeenCalled()
  act(() => live.retryNow())
  act(() => opened.at(-1)?.hello())
  expect(reload).toHaveBeenCalledTimes(1)
})

it('reloads when the browser is online again', async () => {
  show(<Broken error={unloaded} />)
  await screen.findByText('The connection is missing')
  act(() => void window.dispatchEvent(new Event('online')))
  expect(reload).toHaveBeenCalledTimes(1)
})

it('does not reload again and again what is missing for good', async () => {
  show(<Broken error={unloaded} />)
  await screen.findByText('The connection is missing')
  act(() => opened.at(-1)?.hello())
  expect(reload).not.toHaveBeenCalled()
})

it('stays where the page itself is wrong', async () => {
  show(<Broken error={new Error('oops')} />)
  expect(await screen.findByText('This page cannot be shown')).toBeVisible()
  act(() => void window.dispatchEvent(new Event('online')))
  expect(reload).not.toHaveBeenCalled()
})
