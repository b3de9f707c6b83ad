import { screen } from '@testing-library/react'
import { expect, it, vi } from 'vitest'
import { ApiError } from '../api/client'
import { show } from '../test/render'
import { Empty, Failed, Loading } from './empty'

it('says what would be there and what to do about it', async () => {
  show(
    <Empty title="No servers yet" action={<button type="button">Add a server</button>}>
      A server is any URL that answers.
    </Empty>,
  )
  expect(await screen.findByRole('heading', { level: 2, name: 'No servers yet' })).toBeInTheDocument()
  expect(screen.getByText('A server is any URL that answers.')).toBeInTheDocument()
  expect(screen.getByRole('button', { name: 'Add a server' })).toBeInTheDocument()
})

it('is the heading of a page that is nothing else', async () => {
  show(<Empty h1 title="There is no such page" />)
  expect(await screen.findByRole('heading', { level: 1 })).toBeInTheDocument()
})

it('tells what the orchestrator said was wrong, and tries again when asked to', async () => {
  const again = vi.fn()
  const { user } = show(
    <Failed what="Servers" error={new ApiError(503, 'busy', 'the database is busy')} onRetry={again} />,
  )
  expect(await screen.findByRole('alert', { name: 'Servers could not be loaded' })).toHaveTextContent(
    'the database is busy',
  )
  await user.click(screen.getByRole('button', { name: 'Try again' }))
  expect(again).toHaveBeenCalledOnce()
})

it('shows nothing of an error that nobody wrote for people', async () => {
  show(<Failed what="Servers" error={new TypeError('x is undefined')} onRetry={() => {}} />)
  expect(await screen.findByRole('alert')).toHaveTextContent('Something went wrong in this page.')
  expect(screen.queryByText(/undefined/)).toBeNull()
})

it('names what is being loaded', async () => {
  show(<Loading label="Loading servers" />)
  expect(await screen.findByRole('status', { name: 'Loading servers' })).toBeInTheDocument()
})
