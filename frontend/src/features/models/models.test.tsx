import { screen, waitFor, within } from '@testing-library/react'
import { describe, expect, it, vi } from 'vitest'
import type { FleetModel } from '../../api/types'
import { aModel, goes } from '../../test/models'
import { answering, show } from '../../test/render'
import { aServer } from '../../test/servers'
import { Models } from './models'

const fleet = [
  aModel({
    servers: {
      'gpu-1': { ollama: true, openai: true, loaded: true },
      'gpu-2': { ollama: true },
      'gpu-3': { openai: true, denied: true },
    },
    ollama: goes('gpu-1', 'gpu-2'),
    openai: { servers: [], waits: false, reason: 'no server can take it now: gpu-1 (down)' },
    sameEverywhere: false,
  }),
  aModel({ name: 'library/gemma3:12b', servers: { 'gpu-2': { ollama: true } }, ollama: goes('gpu-2') }),
]
const servers = (count: number) =>
  Array.from({ length: count }, (_, at) => aServer({ id: `gpu-${at + 1}`, name: at === 1 ? 'Big box' : '' }))

function shown(models: FleetModel[], { count = 4, at = '/models' } = {}) {
  answering({
    'GET /servers': () => ({ json: servers(count) }),
    'GET /models': () => ({ json: { models } }),
  })
  return show(<Models />, { at })
}
const cells = (row: HTMLElement) =>
  within(row)
    .getAllByRole('cell')
    .map((cell) => cell.textContent)
const rowOf = async (name: string) => {
  const button = await screen.findByRole('button', { name })
  return button.closest('tr') as HTMLElement
}

describe('the matrix', () => {
  it('has a column for each server and says how the model is there', async () => {
    shown(fleet)
    const row = await rowOf('llama3.2:latest')
    await screen.findByRole('columnheader', { name: 'Big box' })
    expect(cells(row).slice(3)).toEqual([
      'In memoryOAIOllama and OpenAI',
      'ListedOOllama',
      'DeniedAIOpenAI',
      '–Not there',
    ])
  })
  it('tells copies and where a request would go, by protocol', async () => {
    shown(fleet)
    const row = await rowOf('llama3.2:latest')
    await screen.findByRole('columnheader', { name: 'Big box' })
    expect(cells(row).slice(0, 3)).toEqual([
      '2.0 GB',
      'on 3, 1 in memory, 1 denied',
      'OOllamaOne of gpu-1, Big boxAIOpenAIRefused: no server can take it now: gpu-1 (down)',
    ])
  })
  it('flags a model that differs between servers, in words', async () => {
    shown(fleet)
    expect(await rowOf('llama3.2:latest')).toHaveTextContent('Not the same on all servers')
    expect(await rowOf('library/gemma3:12b')).not.toHaveTextContent('Not the same')
  })
  it('leads to the playground and to the requests of a model', async () => {
    shown(fleet)
    await rowOf('library/gemma3:12b')
    expect(screen.getByRole('link', { name: 'Try library/gemma3:12b in the playground' })).toHaveAttribute(
      'href',
      '/playground?model=library%2Fgemma3%3A12b',
    )
    expect(screen.getByRole('link', { name: 'Requests for library/gemma3:12b' })).toHaveAttribute(
      'href',
      '/requests?model=library%2Fgemma3%3A12b',
    )
  })
})

it('is a list that unfolds where there are more than twelve servers', async () => {
  const { user } = shown(fleet, { count: 13 })
  await waitFor(async () => expect(cells(await rowOf('llama3.2:latest'))[1]).toBe('on 3 of 13, 1 in memory, 1 denied'))
  expect(screen.queryByRole('columnheader', { name: 'Big box' })).toBeNull()
  const unfold = screen.getByRole('button', { name: 'Servers that have llama3.2:latest' })
  await user.click(unfold)
  expect(unfold).toHaveAttribute('aria-expanded', 'true')
  const list = screen.getByRole('list', { name: 'Servers that have llama3.2:latest' })
  expect(
    within(list)
      .getAllByRole('link')
      .map((link) => link.textContent),
  ).toEqual(['gpu-1', 'Big box', 'gpu-3'])
  await user.click(unfold)
  expect(screen.queryByRole('list')).toBeNull()
})

it('is made of cards where it is narrow', async () => {
  vi.spyOn(window, 'matchMedia').mockImplementation(
    (query) =>
      ({ ...matching, matches: query.includes('max-width: 899px'), media: query }) as unknown as MediaQueryList,
  )
  shown(fleet)
  const cards = await screen.findByRole('list', { name: 'Models by server' })
  expect(within(cards).getAllByRole('listitem')).toHaveLength(2)
  expect(within(cards).getAllByText('Would go now to')).toHaveLength(2)
  expect(screen.queryByRole('table')).toBeNull()
})
const matching = { onchange: null, addEventListener: () => {}, removeEventListener: () => {} }

describe('filters', () => {
  it('live in the URL', async () => {
    const { user, router } = shown(fleet)
    await user.type(await screen.findByRole('textbox', { name: 'Filter models' }), 'gemma')
    await waitFor(() => expect(router.state.location.href).toBe('/models?q=gemma'))
    expect(await screen.findByText('1 of 2 models')).toBeInTheDocument()
    await user.click(screen.getByRole('checkbox', { name: 'In memory only' }))
    await waitFor(() => expect(router.state.location.href).toBe('/models?q=gemma&loaded=true'))
  })
  it('are read from the URL, and cleared where nothing matches', async () => {
    const { user, router } = shown(fleet, { at: '/models?server=gpu-2&loaded=true' })
    await user.click(await screen.findByRole('button', { name: 'Clear filters' }))
    expect(await rowOf('llama3.2:latest')).toBeInTheDocument()
    expect(router.state.location.href).toBe('/models')
  })
})

describe('the details of a model', () => {
  it('open from its name, with how to ask for it, and give focus back', async () => {
    const { user, router } = shown(fleet)
    const opener = await screen.findByRole('button', { name: 'library/gemma3:12b' })
    await user.click(opener)
    const dialog = await screen.findByRole('dialog', { name: 'library/gemma3:12b' })
    expect(router.state.location.href).toBe('/models?model=library%2Fgemma3%3A12b')
    expect(within(dialog).getByRole('region', { name: 'Ollama curl command' })).toHaveTextContent('/api/chat')
    expect(within(dialog).queryByText(/OpenAI base URL/)).toBeNull()
    await user.click(within(dialog).getByRole('button', { name: 'Close' }))
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
    await waitFor(() => expect(opener).toHaveFocus())
    expect(router.state.location.href).toBe('/models')
  })
  it('say so when no server has it any more', async () => {
    shown(fleet, { at: '/models?model=gone' })
    expect(await screen.findByRole('dialog', { name: 'gone' })).toHaveTextContent('No server lists this model now.')
  })
})

describe('without models', () => {
  it('leads to the servers where there are some', async () => {
    shown([])
    expect(await screen.findByRole('link', { name: 'To the servers' })).toHaveAttribute('href', '/servers')
  })
  it('leads to adding one where there is none', async () => {
    shown([], { count: 0 })
    expect(await screen.findByRole('link', { name: 'Add a server' })).toHaveAttribute('href', '/servers?add=true')
  })
})

describe('when the orchestrator fails', () => {
  const broken = { status: 400, json: { error: { code: 'x', message: 'it is broken', field: null } } }
  it('says so and tries again', async () => {
    let works = false
    answering({
      'GET /servers': () => ({ json: servers(2) }),
      'GET /models': () => (works ? { json: { models: fleet } } : broken),
    })
    const { user } = show(<Models />, { at: '/models' })
    expect(await screen.findByText('it is broken')).toBeInTheDocument()
    works = true
    await user.click(screen.getByRole('button', { name: 'Try again' }))
    expect(await rowOf('llama3.2:latest')).toBeInTheDocument()
  })
  it('keeps what it had on screen and says of when that is', async () => {
    let works = true
    answering({
      'GET /servers': () => ({ json: servers(2) }),
      'GET /models': () => (works ? { json: { models: fleet } } : broken),
    })
    const { client } = show(<Models />, { at: '/models' })
    await rowOf('llama3.2:latest')
    works = false
    await client.invalidateQueries({ queryKey: ['models'] })
    expect(await screen.findByText(/^Models as of .* it is broken$/)).toBeInTheDocument()
    expect(await rowOf('llama3.2:latest')).toBeInTheDocument()
  })
})
