import { screen, waitFor, within } from '@testing-library/react'
import { expect, it } from 'vitest'
import type { ServerAnswer } from '../api/types'
import { aModel } from '../test/models'
import { answering, show } from '../test/render'
import { aServer } from '../test/servers'
import Palette from './palette'

const noop = () => {}

async function shown(servers: ServerAnswer[], answers: Parameters<typeof answering>[0] = {}) {
  const asked = answering({
    'GET /servers': () => ({ json: servers }),
    'GET /models': () => ({ json: { models: [aModel()] } }),
    'GET /breakers': () => ({ json: [] }),
    ...answers,
  })
  const page = show(<Palette opened={1} onKeys={noop} />)
  await screen.findByRole('button', { name: /llama3.2:latest/ })
  return { ...page, sent: () => asked.filter(({ key }) => !key.startsWith('GET')).map(({ key }) => key) }
}
const type = (user: Awaited<ReturnType<typeof shown>>['user'], text: string) =>
  user.type(screen.getByPlaceholderText('Go to…'), text)
const labels = () =>
  within(screen.getByRole('dialog'))
    .getAllByRole('button')
    .map((button) => button.querySelector('span span')?.textContent)

it('begins with places, without what changes anything', async () => {
  await shown([aServer()])
  expect(labels()).toContain('gpu-1')
  expect(labels()).not.toContain('Drain gpu-1')
  expect(labels()).not.toContain('Add server')
})

it('drains a server by its name, and says so', async () => {
  const draining = aServer({ status: 'draining', draining: true })
  const { user, sent } = await shown([aServer(), aServer({ id: 'attic', name: 'Attic' })], {
    'POST /servers/gpu-1/drain': () => ({ json: draining }),
  })
  await type(user, 'gpu drain')
  expect(labels()).toEqual(['Drain gpu-1'])
  await user.keyboard('{Enter}')
  await waitFor(() => expect(sent()).toEqual(['POST /servers/gpu-1/drain']))
  expect(await screen.findByText('gpu-1 gets no new requests; running ones go on')).toBeInTheDocument()
})

it('offers to resume what drains, and to check it', async () => {
  const { user, sent } = await shown([aServer({ id: 'attic', name: 'Attic', draining: true, status: 'draining' })], {
    'POST /servers/attic/check': () => ({ json: aServer({ id: 'attic', name: 'Attic' }) }),
  })
  await type(user, 'attic')
  expect(labels()).toEqual(['Attic', 'Resume Attic', 'Check Attic now'])
  await user.click(screen.getByRole('button', { name: 'Check Attic now' }))
  await waitFor(() => expect(sent()).toEqual(['POST /servers/attic/check']))
})

it('leads to the form of a new server', async () => {
  const { user, router } = await shown([])
  await type(user, 'add')
  await user.click(screen.getByRole('button', { name: 'Add server' }))
  await waitFor(() => expect(router.state.location.href).toBe('/servers?add=true'))
})

it('shows a few of many, of every kind', async () => {
  const { user } = await shown(Array.from({ length: 40 }, (_, at) => aServer({ id: `gpu-${at}` })))
  await type(user, 'gpu')
  expect(labels()).toHaveLength(14)
  expect(labels()).toEqual(expect.arrayContaining(['gpu-0', 'Drain gpu-0', 'Check gpu-0 now']))
})
