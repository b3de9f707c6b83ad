import { screen } from '@testing-library/react'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { answering, show } from '../test/render'
import { Shortcuts } from './shortcuts'

beforeEach(() => {
  answering({ 'GET /servers': () => ({ json: [] }), 'GET /models': () => ({ json: { models: [] } }) })
})
afterEach(() => localStorage.clear())

async function shown() {
  const page = show(
    <>
      <Shortcuts />
      <input data-filter aria-label="Filter" />
    </>,
  )
  await screen.findByLabelText('Filter')
  return { ...page, path: () => page.router.state.location.pathname }
}

it('goes to a page by g and its letter', async () => {
  const { user, path } = await shown()
  await user.keyboard('gs')
  expect(path()).toBe('/servers')
  await user.keyboard('gb')
  expect(path()).toBe('/breakers')
})

it('does nothing for the letter alone, or after another key', async () => {
  const { user, path } = await shown()
  await user.keyboard('s')
  await user.keyboard('gxs')
  expect(path()).toBe('/')
})

it('goes to the filter by / without typing it there', async () => {
  const { user } = await shown()
  await user.keyboard('/')
  expect(screen.getByLabelText('Filter')).toHaveFocus()
  expect(screen.getByLabelText('Filter')).toHaveValue('')
})

it('never fires while somebody types', async () => {
  const { user, path } = await shown()
  await user.type(screen.getByLabelText('Filter'), 'gs?')
  expect(path()).toBe('/')
  expect(screen.queryByRole('dialog')).toBeNull()
  expect(screen.getByLabelText('Filter')).toHaveValue('gs?')
})

it('lists the keys by ?, where single letters can be switched off', async () => {
  const { user, path } = await shown()
  await user.keyboard('?')
  expect(await screen.findByRole('dialog', { name: 'Keys' })).toBeVisible()
  await user.click(screen.getByRole('switch'))
  await user.click(screen.getByRole('button', { name: 'Close' }))
  await user.keyboard('gs?')
  expect(path()).toBe('/')
})

it('leaves the keys to a dialog that is open', async () => {
  const { user, path } = await shown()
  await user.keyboard('?')
  await screen.findByRole('dialog', { name: 'Keys' })
  await user.keyboard('gs')
  expect(path()).toBe('/')
})

it('opens the palette by Ctrl K, also while typing', async () => {
  const { user } = await shown()
  await user.click(screen.getByLabelText('Filter'))
  await user.keyboard('{Control>}k{/Control}')
  expect(await screen.findByPlaceholderText('Go to…')).toBeInTheDocument()
})
