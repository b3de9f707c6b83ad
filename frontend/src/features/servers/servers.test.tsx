import { modals } from '@mantine/modals'
import { notifications } from '@mantine/notifications'
import { act, screen, waitFor, within } from '@testing-library/react'
import { afterEach, describe, expect, it } from 'vitest'
import { metrics } from '../../api/metrics'
import type { ServerAnswer } from '../../api/types'
import { showPage } from '../../test/page'
import { aPoint } from '../../test/points'
import { answering } from '../../test/render'
import { aServer } from '../../test/servers'
import { putServer } from './cache'
import { Servers } from './servers'

afterEach(() => {
  modals.closeAll()
  notifications.clean()
})

type Answers = Parameters<typeof answering>[0]

function shown(servers: ServerAnswer[], answers: Answers = {}, at = '/servers') {
  const asked = answering({ 'GET /servers': () => ({ json: servers }), ...answers })
  return { ...showPage('/servers', Servers, at), sent: () => asked.filter(({ key }) => !key.startsWith('GET')) }
}
const row = async (name: string) => {
  const link = await screen.findByRole('link', { name })
  return within(link.closest('tr') as HTMLElement)
}
const fromMenu = async (user: ReturnType<typeof shown>['user'], server: string, item: string) => {
  await user.click(await screen.findByRole('button', { name: `Actions for ${server}` }))
  await user.click(await screen.findByRole('menuitem', { name: item }))
}

describe('the list', () => {
  it('says what to do while there are no servers', async () => {
    const { user, router } = shown([])
    expect(await screen.findByText('No servers yet')).toBeInTheDocument()
    await user.click(screen.getByRole('button', { name: 'Add server' }))
    expect(await screen.findByRole('dialog', { name: 'Add server' })).toBeInTheDocument()
    expect(router.state.location.search).toEqual({ add: true })
  })
  it('tells a server by its name, else by its id, with its status and why', async () => {
    const statusReason = 'environment variable GPU_KEY is not set'
    shown([
      aServer({ name: 'Attic' }),
      aServer({ id: 'b', status: 'configError', statusReason, apiKey: 'env:GPU_KEY' }),
    ])
    expect((await row('Attic')).getByText('http://gpu-1:11434')).toBeInTheDocument()
    const b = await row('b')
    expect(b.getByText('Wrong settings')).toBeInTheDocument()
    expect(b.getByText('Environment variable GPU_KEY is not set')).toBeInTheDocument()
    expect(b.getByRole('img', { name: 'Key from the variable GPU_KEY' })).toBeInTheDocument()
  })
  it('shows priority, weight and tags where there is something to show', async () => {
    shown([aServer({ id: 'a' }), aServer({ id: 'b', priority: 1, weight: 2.5, tags: ['eu'] })])
    const b = await row('b')
    expect([b.getByText('priority 1 · weight 2.5'), b.getByText('eu')]).toHaveLength(2)
    expect((await row('a')).queryByText(/priority|weight/)).toBeNull()
  })
  it('leads from breakers that are not closed to their page', async () => {
    shown([aServer({ breakers: { closed: 1, open: 2, halfOpen: 1 } })])
    const link = await screen.findByRole('link', { name: '2 open, 1 half-open' })
    expect(link).toHaveAttribute('href', '/breakers?server=gpu-1')
  })
  it('filters by the URL, and clears the filter when nothing matches', async () => {
    const servers = [aServer({ id: 'a', tags: ['eu'] }), aServer({ id: 'b', status: 'down' })]
    const { user, router } = shown(servers, {}, '/servers?status=down')
    expect(await screen.findByRole('link', { name: 'b' })).toBeInTheDocument()
    expect(screen.queryByRole('link', { name: 'a' })).toBeNull()
    await user.selectOptions(screen.getByRole('combobox', { name: 'Tag' }), 'eu')
    expect(await screen.findByText('No server matches')).toBeInTheDocument()
    expect(router.state.location.search).toEqual({ status: 'down', tag: 'eu' })
    await user.click(screen.getByRole('button', { name: 'Clear filter' }))
    expect(await screen.findByRole('link', { name: 'a' })).toBeInTheDocument()
    expect(router.state.location.search).toEqual({})
  })
  it('takes what is typed into the URL', async () => {
    const { user, router } = shown([aServer({ id: 'a' }), aServer({ id: 'b' })])
    await user.type(await screen.findByRole('textbox', { name: 'Filter servers' }), 'gpu')
    await waitFor(() => expect(router.state.location.search).toEqual({ q: 'gpu' }))
  })
})

let now = Date.now() / 1000
/** Of the next second: two of the same moment are one. */
const point = (inFlightByServer: Record<string, number>) => aPoint(now++, { inFlightByServer })

it('counts down what still runs on a server that is drained', async () => {
  shown([aServer({ status: 'draining', draining: true, maxConcurrency: 4, inFlight: 2 })])
  expect(await screen.findByText('2 still running')).toBeInTheDocument()
  expect(screen.getByRole('progressbar', { name: 'gpu-1: 2 of 4 in flight' })).toBeInTheDocument()
  act(() => metrics.add(point({})))
  expect(await screen.findByText('Drained')).toBeInTheDocument()
  expect(screen.queryByText(/still running/)).toBeNull()
  expect(screen.getByRole('progressbar', { name: 'gpu-1: 0 of 4 in flight' })).toBeInTheDocument()
})

describe('the menu of a server', () => {
  it('drains at once and shows the server as it then is', async () => {
    const { user, sent } = shown([aServer()], {
      'POST /servers/gpu-1/drain': () => ({ json: aServer({ status: 'draining', draining: true }) }),
    })
    await fromMenu(user, 'gpu-1', 'Drain')
    expect(await screen.findByText('gpu-1 gets no new requests; running ones go on')).toBeInTheDocument()
    expect(sent().map(({ key }) => key)).toEqual(['POST /servers/gpu-1/drain'])
  })
  it('says what happens to running requests before it deletes', async () => {
    const servers = [aServer({ name: 'Attic', inFlight: 3 }), aServer({ id: 'b' })]
    const { user, sent } = shown(servers, {
      'DELETE /servers/gpu-1': () => {
        servers.shift()
        return { status: 204 }
      },
    })
    act(() => metrics.add(point({ 'gpu-1': 3 })))
    await fromMenu(user, 'Attic', 'Delete')
    const dialog = within(await screen.findByRole('dialog', { name: 'Delete Attic?' }))
    expect(await dialog.findByText('The 3 requests that run there now go on to the end.')).toBeInTheDocument()
    expect(sent()).toEqual([])
    await user.click(dialog.getByRole('button', { name: 'Delete server' }))
    await waitFor(() => expect(screen.queryByRole('link', { name: 'Attic' })).toBeNull())
    expect(sent().map(({ key }) => key)).toEqual(['DELETE /servers/gpu-1'])
  })
  it('tells in words what could not be done', async () => {
    const { user } = shown([aServer()], {
      'POST /servers/gpu-1/check': () => ({
        status: 404,
        json: { error: { code: 'unknown_server', message: 'there is no server gpu-1', field: null } },
      }),
    })
    await fromMenu(user, 'gpu-1', 'Check now')
    expect(await screen.findByText('gpu-1: could not check')).toBeInTheDocument()
    expect(screen.getByText('there is no server gpu-1')).toBeInTheDocument()
  })
  it('manages models only where Ollama’s protocol is spoken', async () => {
    const { user } = shown([aServer({ supportsOllama: false })])
    await user.click(await screen.findByRole('button', { name: 'Actions for gpu-1' }))
    expect(await screen.findByRole('menuitem', { name: 'Edit' })).toBeInTheDocument()
    expect(screen.queryByRole('menuitem', { name: 'Manage models' })).toBeNull()
  })
  it('offers to enable what is disabled and to resume what is drained', async () => {
    const { user } = shown([aServer({ enabled: false, draining: true })])
    await user.click(await screen.findByRole('button', { name: 'Actions for gpu-1' }))
    const items = await screen.findAllByRole('menuitem')
    expect(items.map((item) => item.textContent)).toEqual([
      'Edit',
      'Check now',
      'Manage models',
      'Resume',
      'Enable',
      'Delete',
    ])
  })
})

it('shows at once what is told of a server', async () => {
  const server = aServer()
  const { client } = shown([server])
  expect((await row('gpu-1')).getByText('Healthy')).toBeInTheDocument()
  act(() => {
    putServer(client, { ...server, status: 'down', statusReason: 'connection refused' })
  })
  expect(await screen.findByText('Connection refused')).toBeInTheDocument()
})
