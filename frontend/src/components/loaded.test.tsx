import { useQuery } from '@tanstack/react-query'
import { screen } from '@testing-library/react'
import { expect, it } from 'vitest'
import { api } from '../api/client'
import { answering, show } from '../test/render'
import { Loaded } from './loaded'

function Things() {
  const query = useQuery({ queryKey: ['things'], queryFn: () => api<string[]>('/things'), retry: false })
  return (
    <Loaded query={query} what="Things">
      {(things) => <p>{things.join(', ')}</p>}
    </Loaded>
  )
}

const broken = { status: 400, json: { error: { code: 'x', message: 'The database is locked.', field: null } } }

it('says why nothing could be loaded, and tries again when it is told to', async () => {
  let answer: { status?: number; json: unknown } = broken
  answering({ 'GET /things': () => answer })
  const { user } = show(<Things />)
  expect(await screen.findByText('Things could not be loaded')).toBeInTheDocument()
  expect(screen.getByText('The database is locked.')).toBeInTheDocument()
  answer = { json: ['a', 'b'] }
  await user.click(screen.getByRole('button', { name: 'Try again' }))
  expect(await screen.findByText('a, b')).toBeInTheDocument()
})

it('keeps what was there when a later fetch fails, and says of when it is', async () => {
  let answer: { status?: number; json: unknown } = { json: ['a'] }
  answering({ 'GET /things': () => answer })
  const { client } = show(<Things />)
  await screen.findByText('a')
  answer = broken
  await client.invalidateQueries()
  expect(await screen.findByText(/Things as of \d\d:\d\d:\d\d/)).toBeInTheDocument()
  expect(screen.getByText('a')).toBeInTheDocument()
})
