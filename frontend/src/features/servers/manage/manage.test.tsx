import { screen, waitFor, within } from '@testing-library/react'
import { describe, expect, it } from 'vitest'
import { useServers } from '../../../api/queries'
import type { LoadedModelAnswer, ModelAnswer, ModelsAnswer } from '../../../api/types'
import { answering, show } from '../../../test/render'
import { aServer } from '../../../test/servers'
import { ManageModels } from './dialog'
import { rowsOf } from './rows'

const listed = (name: string, some: Partial<ModelAnswer> = {}): ModelAnswer => ({
  name,
  modified: '',
  size: 4_700_000_000,
  digest: '',
  details: { parameter_size: '8.0B', quantization_level: 'Q4_K_M' },
  loaded: false,
  allowed: true,
  ...some,
})
const inMemory = (name: string): LoadedModelAnswer => ({
  name,
  size: 5_000_000_000,
  sizeVram: 2_500_000_000,
  expiresAt: '2318-01-01T00:00:00Z',
  contextLength: 4096,
})

const models: ModelsAnswer = { models: [listed('a:latest'), listed('b', { allowed: false })], v1Models: [] }

function Page() {
  const { data } = useServers()
  return <ManageModels server={data?.[0]} opened onClose={() => {}} />
}
function shown(answers: Parameters<typeof answering>[0]) {
  const asked = answering({
    'GET /servers': () => ({ json: [aServer({ loadedModels: [inMemory('b')] })] }),
    'GET /servers/gpu-1/models': () => ({ json: models }),
    ...answers,
  })
  return { ...show(<Page />), sent: () => asked.filter(({ key }) => !key.startsWith('GET')) }
}
const row = async (name: string) => within((await screen.findByText(name)).closest('tr') as HTMLElement)

describe('managing models', () => {
  it('shows size, quantisation and what is in memory for how long', async () => {
    shown({})
    const b = await row('b')
    expect(b.getByText('4.7 GB')).toBeInTheDocument()
    expect(b.getByText('Q4_K_M')).toBeInTheDocument()
    expect(b.getByText('forever · 50 % of 5.0 GB in VRAM')).toBeInTheDocument()
    expect(b.getByText('8.0B parameters · denied to requests')).toBeInTheDocument()
    expect((await row('a:latest')).getByText('Listed')).toBeInTheDocument()
  })
  it('loads a model, says so meanwhile, and shows it in memory', async () => {
    let finish: () => void = () => {}
    const finished = new Promise<void>((resolve) => {
      finish = resolve
    })
    const loaded = aServer({ loadedModels: [inMemory('b'), inMemory('a:latest')] })
    const { user, sent } = shown({ 'POST /servers/gpu-1/models/load': () => ({ json: loaded }) })
    const answer = globalThis.fetch
    globalThis.fetch = (async (url: string, init: RequestInit) => {
      if (url.endsWith('/load')) await finished
      return answer(url, init)
    }) as never
    await user.click(await screen.findByRole('button', { name: 'Load a:latest' }))
    // A model is not moved by being loaded: `b` was in memory before.
    const order = ['Unload b', 'Unload a:latest']
    const busy = await screen.findByRole('button', { name: 'Loading… a:latest' })
    expect(busy).toHaveAttribute('aria-disabled', 'true')
    expect(busy).toHaveFocus()
    finish()
    expect(await screen.findByRole('button', { name: 'Unload a:latest' })).toBeInTheDocument()
    expect(screen.getAllByRole('button', { name: /^Unload/ }).map((one) => one.getAttribute('aria-label'))).toEqual(
      order,
    )
    expect(sent()).toEqual([{ key: 'POST /servers/gpu-1/models/load', body: { model: 'a:latest' } }])
  })
  it('says beside the model why it could not be loaded, and lets one try again', async () => {
    const { user } = shown({
      'POST /servers/gpu-1/models/load': () => ({
        status: 502,
        json: { error: { code: 'server_error', message: 'the server answered 500: out of memory', field: null } },
      }),
    })
    await user.click(await screen.findByRole('button', { name: 'Load a:latest' }))
    expect((await row('a:latest')).queryByRole('alert')).toBeNull
    await waitFor(async () =>
      expect((await row('a:latest')).getByRole('alert')).toHaveTextContent('the server answered 500: out of memory'),
    )
    expect(screen.getByRole('button', { name: 'Load a:latest' })).toHaveAttribute('aria-disabled', 'false')
  })
})

it('finds what is in memory by any spelling of the name, and puts it first', () => {
  const loaded = [inMemory('library/b:latest')]
  const rows = rowsOf(models.models, loaded, new Map(), loaded)
  expect(rows.map(({ name, loaded }) => [name, loaded])).toEqual([
    ['b', true],
    ['a:latest', false],
  ])
})
