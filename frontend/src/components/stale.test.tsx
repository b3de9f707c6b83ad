import { screen } from '@testing-library/react'
import { expect, it, vi } from 'vitest'
import { ApiError } from '../api/client'
import { show } from '../test/render'
import { Stale } from './stale'

const query = { isError: true, data: [], error: new ApiError(0, 'unreachable', 'Not reached.'), dataUpdatedAt: 0 }

it('says of when the data are and why they are old', async () => {
  const refetch = vi.fn()
  const { user } = show(<Stale what="Models" query={{ ...query, refetch }} />)
  expect(
    await screen.findByText(/^Models as of \d\d:\d\d:\d\d, not refreshed since: Not reached\.$/),
  ).toBeInTheDocument()
  await user.click(screen.getByRole('button', { name: 'Try again' }))
  expect(refetch).toHaveBeenCalledOnce()
})

it.each([
  ['all is well', { isError: false }],
  ['there are no data at all', { data: undefined }],
])('says nothing while %s', async (_, some) => {
  show(
    <>
      <Stale what="Models" query={{ ...query, refetch: () => {}, ...some }} />
      <p>page</p>
    </>,
  )
  await screen.findByText('page')
  expect(screen.queryByRole('button')).toBeNull()
})
