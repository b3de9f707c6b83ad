import { notifications } from '@mantine/notifications'
import { screen, waitFor, within } from '@testing-library/react'
import axe from 'axe-core'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { ConnectionAnswer, ServerAnswer } from '../../../api/types'
import { type Asked, answering, show } from '../../../test/render'
import { aServer } from '../../../test/servers'
import { ServerDialog } from './dialog'
import { MASK } from './values'

afterEach(() => notifications.clean())

type Answers = Parameters<typeof answering>[0]
const field = (name: string) => screen.findByLabelText(new RegExp(`^${name}( \\*)?$`), { selector: 'input' })
/** Pasted, which draws the form once. */
const fill = async (user: ReturnType<typeof show>['user'], name: string, text: string) => {
  await user.click(await field(name))
  await user.paste(text)
}
const button = (name: string) => screen.findByRole('button', { name })

function shown(answers: Answers, server?: ServerAnswer) {
  const asked = answering({ 'GET /servers': () => ({ json: [aServer({ id: 'taken' })] }), ...answers })
  const onClose = vi.fn()
  const view = show(<ServerDialog {...(server && { server })} opened onClose={onClose} />)
  return { ...view, onClose, sent: () => asked.filter(({ key }) => !key.startsWith('GET')) }
}

const refusal = (status: number, code: string, message: string, name: string | null) => () => ({
  status,
  json: { error: { code, message, field: name } },
})
const added = ({ body }: Asked) => ({ status: 201, json: aServer(body as Partial<ServerAnswer>) })

describe('adding a server', () => {
  it('says on the fields what is missing, focuses the first and sends nothing', async () => {
    const { user, sent, onClose } = shown({})
    await user.click(await button('Add server'))
    expect(await screen.findByText('Enter an http:// or https:// address')).toBeInTheDocument()
    expect(await field('Base URL')).toHaveAccessibleDescription(/Enter an http/)
    await waitFor(async () => expect(await field('Base URL')).toHaveFocus())
    expect([sent(), onClose.mock.calls]).toEqual([[], []])
  })
  it('sends what was filled in and nothing else, then closes', async () => {
    const { user, sent, onClose } = shown({ 'POST /servers': added })
    await fill(user, 'Name', 'GPU 1')
    await fill(user, 'Base URL', 'http://10.0.0.5:11434')
    await user.click(screen.getByRole('radio', { name: 'Enter a key' }))
    await fill(user, 'Key to send', 'sk-secret')
    await fill(user, 'Requests at a time', '4')
    await user.type(await field('Tags'), 'eu{Enter}')
    await user.click(await button('Add server'))
    await waitFor(() => expect(onClose).toHaveBeenCalled())
    expect(sent()).toEqual([
      {
        key: 'POST /servers',
        body: {
          id: 'gpu-1',
          url: 'http://10.0.0.5:11434',
          name: 'GPU 1',
          apiKey: 'sk-secret',
          maxConcurrency: 4,
          tags: ['eu'],
        },
      },
    ])
  })
  it('suggests an id from the address, then from the name, until one is written', async () => {
    const { user } = shown({})
    await fill(user, 'Base URL', 'http://host:8000')
    expect(await field('Id')).toHaveValue('host-8000')
    await fill(user, 'Name', 'Taken')
    expect(await field('Id')).toHaveValue('taken-2')
    await user.clear(await field('Id'))
    await fill(user, 'Id', 'mine')
    await fill(user, 'Name', ' away')
    expect(await field('Id')).toHaveValue('mine')
  })
  it('puts what the orchestrator refuses on its field', async () => {
    const { user, onClose } = shown({
      'POST /servers': refusal(409, 'url_taken', 'taken is registered with this url already', 'url'),
    })
    await fill(user, 'Base URL', 'http://host:8000')
    await user.click(await button('Add server'))
    expect(await screen.findByText('Taken is registered with this url already')).toBeInTheDocument()
    await waitFor(async () => expect(await field('Base URL')).toHaveFocus())
    expect(onClose).not.toHaveBeenCalled()
    expect(screen.queryByRole('alert')).toBeNull()
  })
  it('unfolds what is folded away when something is wrong in there', async () => {
    const { user } = shown({
      'POST /servers': refusal(400, 'invalid_value', 'modelsAllow: holds control characters', 'modelsAllow'),
    })
    await fill(user, 'Base URL', 'http://host:8000')
    await user.click(await button('Add server'))
    expect(await screen.findByText('Holds control characters')).toBeInTheDocument()
    await waitFor(async () => expect(await field('Models allowed')).toHaveFocus())
  })
  it('shows what has no field in an alert', async () => {
    const { user } = shown({
      'POST /servers': refusal(503, 'database_unavailable', 'nothing was changed: the database is locked', null),
    })
    await fill(user, 'Base URL', 'http://host:8000')
    await user.click(await button('Add server'))
    expect(await screen.findByRole('alert')).toHaveTextContent('nothing was changed: the database is locked')
  })
  it('sends headers, values from variables among them', async () => {
    const { user, sent } = shown({ 'POST /servers': added })
    await fill(user, 'Base URL', 'http://host:8000')
    await user.click(await button('Advanced'))
    await user.click(await button('Add header'))
    await fill(user, 'Name of header 1', 'X-Team')
    await fill(user, 'Value of header X-Team', 'env:TEAM')
    expect(screen.getByLabelText('Value of header X-Team')).toHaveAttribute('type', 'text')
    await user.click(await button('Add server'))
    await waitFor(() => expect(sent()[0]?.body).toMatchObject({ headers: { 'X-Team': 'env:TEAM' } }))
  })
  it('leaves no secret behind when it closes', async () => {
    const { user, onClose, client, unmount } = shown({ 'POST /servers': added })
    await fill(user, 'Base URL', 'http://host:8000')
    await user.click(screen.getByRole('radio', { name: 'Enter a key' }))
    await fill(user, 'Key to send', 'sk-secret')
    await user.click(await button('Add server'))
    await waitFor(() => expect(onClose).toHaveBeenCalled())
    unmount()
    const kept = () =>
      JSON.stringify(
        client
          .getMutationCache()
          .getAll()
          .map(({ state }) => state),
      )
    await waitFor(() => expect(kept()).not.toContain('sk-secret'))
    show(<ServerDialog opened onClose={() => {}} />)
    await user.click(await screen.findByRole('radio', { name: 'Enter a key' }))
    expect(await field('Key to send')).toHaveValue('')
  })
})

describe('editing a server', () => {
  it('sends only what changed, and keeps the stored key', async () => {
    const server = aServer({ name: 'Old', apiKey: MASK, headers: { 'X-Team': MASK }, weight: 2 })
    const { user, sent, onClose } = shown({ 'PATCH /servers/gpu-1': added }, server)
    expect(await screen.findByRole('radio', { name: 'Keep' })).toBeChecked()
    expect(screen.queryByLabelText(/^Id/)).toBeNull()
    await user.clear(await field('Name'))
    await fill(user, 'Name', 'New')
    await user.click(await button('Save'))
    await waitFor(() => expect(onClose).toHaveBeenCalled())
    expect(sent()).toEqual([{ key: 'PATCH /servers/gpu-1', body: { name: 'New' } }])
  })
  it('sends nothing when nothing changed', async () => {
    const { user, sent, onClose } = shown({}, aServer({ apiKey: 'env:KEY', maxConcurrency: 3 }))
    await user.click(await button('Save'))
    await waitFor(() => expect(onClose).toHaveBeenCalled())
    expect(sent()).toEqual([])
  })
  it('removes the stored key', async () => {
    const { user, sent } = shown({ 'PATCH /servers/gpu-1': added }, aServer({ apiKey: MASK }))
    await user.click(await screen.findByRole('radio', { name: 'Remove' }))
    await user.click(await button('Save'))
    await waitFor(() => expect(sent()).toEqual([{ key: 'PATCH /servers/gpu-1', body: { apiKey: null } }]))
  })
  it('says that a stored key goes to another address, once there is one', async () => {
    const { user } = shown({}, aServer({ url: 'http://old:8000', apiKey: MASK }))
    await fill(user, 'Base URL', '/v1')
    expect(screen.queryByText(/The stored key will be sent/)).toBeNull()
    await user.clear(await field('Base URL'))
    await fill(user, 'Base URL', 'http://new:8000')
    expect(screen.getByText('The stored key will be sent to the new address.')).toBeInTheDocument()
    await user.click(screen.getByRole('radio', { name: 'Remove' }))
    expect(screen.queryByText(/The stored key will be sent/)).toBeNull()
  })
  it('notes that the variable of a header is missing at that header', async () => {
    const statusReason = 'environment variable TEAM is not set'
    const headers = { 'X-Team': 'env:TEAM', 'X-Site': 'env:SITE' }
    const { user } = shown({}, aServer({ apiKey: 'env:GPU_KEY', headers, status: 'configError', statusReason }))
    await user.click(await button('Advanced'))
    expect(screen.getAllByText(/^Environment variable TEAM is not set/)).toHaveLength(1)
    await fill(user, 'Value of header X-Team', '_2')
    expect(screen.queryByText(/Environment variable TEAM is not set/)).toBeNull()
  })
  it('notes that the variable of the key is missing, as the last probe found', async () => {
    const statusReason = 'environment variable GPU_KEY is not set'
    const { user } = shown({}, aServer({ apiKey: 'env:GPU_KEY', status: 'configError', statusReason }))
    expect(await screen.findByText(/Environment variable GPU_KEY is not set/)).toBeInTheDocument()
    await fill(user, 'Name of the environment variable', '_2')
    expect(screen.queryByText(/Environment variable GPU_KEY is not set/)).toBeNull()
  })
})

const found: ConnectionAnswer = {
  endpoints: [
    { path: '/api/tags', ok: true, status: 200, seconds: 0.012, says: '2 models' },
    {
      path: '/v1/models',
      ok: false,
      status: 404,
      seconds: 0.003,
      says: "does not speak OpenAI's protocol (answered 404)",
    },
  ],
  status: 'healthy',
  statusReason: '',
  supportsOllama: true,
  supportsV1: false,
  kind: 'ollama',
  version: '0.9.0',
  models: ['a:latest', 'b'],
  v1Models: [],
  loadedModels: ['b'],
  seconds: 0.02,
}

describe('a test of the connection', () => {
  it('shows a tick per endpoint with what was found and how long it took', async () => {
    const { user, sent } = shown({ 'POST /servers/test': () => ({ json: found }) })
    await fill(user, 'Base URL', 'http://host:8000')
    await user.click(await button('Test connection'))
    const result = within(await screen.findByRole('status', { name: 'Connection test' }))
    const [tags, v1] = await result.findAllByRole('listitem')
    expect(tags).toHaveTextContent('/api/tags 2 models 12 ms')
    expect(within(tags as HTMLElement).getByRole('img', { name: 'Found' })).toBeInTheDocument()
    expect(within(v1 as HTMLElement).getByRole('img', { name: 'Not there' })).toBeInTheDocument()
    expect(result.getByText('ollama 0.9.0 · 2 models · 1 in memory · 20 ms')).toBeInTheDocument()
    expect(sent()[0]).toMatchObject({ key: 'POST /servers/test', body: { url: 'http://host:8000' } })
  })
  it('is stale when the form changes in what matters, and only then', async () => {
    const { user } = shown({ 'POST /servers/test': () => ({ json: found }) })
    await fill(user, 'Base URL', 'http://host:8000')
    await user.click(await button('Test connection'))
    await screen.findByText('2 models')
    await fill(user, 'Name', 'GPU')
    expect(screen.queryByText(/The form has changed/)).toBeNull()
    await fill(user, 'Base URL', '/v1')
    expect(screen.getByText(/The form has changed since this test/)).toBeInTheDocument()
  })
  it('uses the stored secrets of the server that is edited', async () => {
    const { user, sent } = shown({ 'POST /servers/test': () => ({ json: found }) }, aServer({ apiKey: MASK }))
    await user.click(await button('Test connection'))
    await screen.findByText('2 models')
    expect(sent()[0]?.body).toMatchObject({ id: 'gpu-1', apiKey: MASK })
  })
  it('asks for an address first', async () => {
    const { user, sent } = shown({})
    await user.click(await button('Test connection'))
    expect(await screen.findByText('Enter an http:// or https:// address')).toBeInTheDocument()
    expect(sent()).toEqual([])
  })
  it('can be stopped', async () => {
    const { user } = shown({})
    const gone = vi.fn()
    const hanging = (_: string, { signal }: RequestInit) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => {
          gone()
          reject(new DOMException('', 'AbortError'))
        })
      })
    await fill(user, 'Base URL', 'http://host:8000')
    vi.stubGlobal('fetch', vi.fn(hanging))
    await user.click(await button('Test connection'))
    await user.click(await button('Stop the test'))
    expect(await button('Test connection')).toBeInTheDocument()
    expect(gone).toHaveBeenCalledOnce()
    expect(screen.queryByRole('alert')).toBeNull()
  })
  it('says why it could not be made', async () => {
    const { user } = shown({
      'POST /servers/test': refusal(503, 'too_many', '8 servers are being tested already', null),
    })
    await fill(user, 'Base URL', 'http://host:8000')
    await user.click(await button('Test connection'))
    expect(await screen.findByRole('alert')).toHaveTextContent('8 servers are being tested already')
  })
})

it('has no fault that axe finds, folded out and with errors', async () => {
  const { user } = shown({}, aServer({ apiKey: MASK, headers: { 'X-Team': MASK } }))
  await user.click(await button('Advanced'))
  await user.click(await button('Add header'))
  await user.click(await button('Save'))
  await screen.findByText('Enter the name of a header')
  const result = await axe.run(await screen.findByRole('dialog'), { rules: { 'color-contrast': { enabled: false } } })
  expect(result.violations.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([])
}, 20_000)

it('keeps the focus among the headers when one is removed', async () => {
  const { user } = shown({}, aServer({ headers: { 'X-Team': MASK, 'X-Site': MASK } }))
  await user.click(await button('Advanced'))
  await user.click(await button('Remove header X-Team'))
  expect(await button('Remove header X-Site')).toHaveFocus()
  await user.click(await button('Remove header X-Site'))
  expect(await button('Add header')).toHaveFocus()
})
