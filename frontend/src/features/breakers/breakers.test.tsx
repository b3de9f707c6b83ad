import { notifications } from '@mantine/notifications'
import { act, screen, waitFor, within } from '@testing-library/react'
import { afterEach, expect, it } from 'vitest'
import { type Breaker, told } from '../../api/breakers'
import { withBreaker } from '../../api/patch'
import type { BreakerAnswer } from '../../api/types'
import { aBreaker } from '../../test/breakers'
import { answering, show } from '../../test/render'
import { aServer } from '../../test/servers'
import { Breakers } from './breakers'
import { BreakerTable } from './table'

afterEach(() => notifications.clean())

const open = aBreaker({
  state: 'open',
  reason: 'answered 500',
  requests: 7,
  failures: 7,
  consecutiveFailures: 7,
  changedSecondsAgo: 42,
  nextTrySeconds: 30,
})
const own = aBreaker({ model: null })

function shown(breakers: BreakerAnswer[], at = '/breakers') {
  answering({
    'GET /servers': () => ({ json: [aServer({ name: 'GPU box' })] }),
    'GET /breakers': () => ({ json: breakers }),
    'POST /breakers/gpu-1/llama3.2%3Alatest/close': () => ({ json: aBreaker({ reason: 'closed by an operator' }) }),
  })
  return show(<Breakers />, { at })
}
const group = (name: string) => screen.findByRole('region', { name: `${name} breakers` })
const listOf = (dialog: HTMLElement, name: string) =>
  document.getElementById(
    within(dialog).getByRole('combobox', { name }).getAttribute('aria-controls') ?? '',
  ) as HTMLElement
const headings = () => screen.getAllByRole('heading', { level: 2 }).map((heading) => heading.textContent)

it('shows what is open with state, reason, counts, since and next try', async () => {
  shown([open, own])
  const table = await screen.findByRole('table', { name: 'Open breakers' })
  const row = within(table).getAllByRole('row')[1] as HTMLElement
  await within(row).findByRole('link', { name: 'GPU box' })
  const cells = within(row)
    .getAllByRole('cell')
    .map((cell) => cell.textContent)
  expect(cells.slice(0, 3)).toEqual([
    'llama3.2:lateston GPU box',
    'OpenAnswered 500',
    '7 of 7 failed in the last minute, 7 in a row',
  ])
  expect(cells[3]).toMatch(/^\d+ s ago$/)
  expect(cells[4]).toMatch(/^Due in \d+ s$/)
})

it('folds closed ones away until they are asked for', async () => {
  const { user } = shown([open, own, aBreaker({ model: 'b' }), aBreaker({ model: 'c' })])
  expect(await screen.findByRole('heading', { name: '3 closed' })).toBeInTheDocument()
  expect(screen.queryByText('The server itself')).toBeNull()
  await user.click(screen.getByRole('button', { name: 'Show' }))
  expect(await screen.findByText('The server itself')).toBeInTheDocument()
})

it('draws no more than so many of many at once', async () => {
  answering({ 'GET /servers': () => ({ json: [] }) })
  const many = Array.from({ length: 8 }, (_, at) => told(aBreaker({ model: `model-${at}` })))
  const { user } = show(<BreakerTable breakers={many} label="Closed breakers" onDone={() => {}} step={3} />)
  expect(await screen.findAllByText(/^model-/)).toHaveLength(3)
  await user.click(screen.getByRole('button', { name: 'Show more of the other 5' }))
  expect(screen.getAllByText(/^model-/)).toHaveLength(6)
})

it('moves a breaker to its group when the stream says so', async () => {
  const { client } = shown([own, aBreaker()])
  await screen.findByRole('heading', { name: '2 closed' })
  act(() => {
    client.setQueryData<Breaker[]>(['breakers'], (old) => old && withBreaker(old, told(open)))
  })
  expect(await group('Open')).toHaveTextContent('llama3.2:latest')
  expect(headings()).toEqual(['1 open', '1 closed', 'How circuit breakers work'])
})

it('keeps focus on the page when a closed row takes its buttons away', async () => {
  const { user } = shown([open, own])
  await user.click(await screen.findByRole('button', { name: 'Close the breaker of llama3.2:latest on GPU box' }))
  await user.click(within(await screen.findByRole('dialog')).getByRole('button', { name: 'Close breaker' }))
  await screen.findByRole('heading', { name: '2 closed' })
  await waitFor(() => expect(document.body).not.toHaveFocus())
})

it('opens the breaker of a model that nothing failed for yet', async () => {
  const asked = answering({
    'GET /servers': () => ({
      json: [aServer({ name: 'GPU box', models: ['qwen3:8b'], v1Models: ['qwen3:8b', 'gpt'] })],
    }),
    'GET /breakers': () => ({ json: [own] }),
    'POST /breakers/gpu-1/qwen3%3A8b/open': () => ({
      json: aBreaker({ model: 'qwen3:8b', state: 'open', forced: true, reason: 'opened by an operator' }),
    }),
  })
  const { user } = show(<Breakers />, { at: '/breakers' })
  await user.click(await screen.findByRole('button', { name: 'Open a breaker' }))
  const dialog = await screen.findByRole('dialog', { name: 'Open a breaker' })
  await user.click(within(dialog).getByRole('button', { name: 'Open breaker' }))
  expect(await within(dialog).findByText('Choose a server')).toBeInTheDocument()
  await user.click(within(dialog).getByRole('combobox', { name: 'Server' }))
  await user.click(within(listOf(dialog, 'Server')).getByText('GPU box'))
  await user.click(within(dialog).getByRole('combobox', { name: 'Model' }))
  const models = listOf(dialog, 'Model')
  expect([...models.querySelectorAll('[role=option]')].map((option) => option.textContent)).toEqual(['gpt', 'qwen3:8b'])
  await user.click(within(models).getByText('qwen3:8b'))
  await user.click(within(dialog).getByRole('button', { name: 'Open breaker' }))
  expect(await group('Open')).toHaveTextContent('qwen3:8b')
  expect(asked.filter(({ key }) => key.startsWith('POST'))).toHaveLength(1)
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
})

it('says that no requests failed yet', async () => {
  shown([own])
  expect(await screen.findByText('No requests failed yet: every breaker is closed.')).toBeInTheDocument()
})

it('explains how breakers work', async () => {
  shown([own])
  const panel = await screen.findByRole('region', { name: 'How circuit breakers work' })
  for (const words of ['Half-open', 'twice as long', 'never block the last server', 'After a restart'])
    expect(panel).toHaveTextContent(words)
})

it('leads to adding a server where there is none', async () => {
  shown([])
  expect(await screen.findByRole('link', { name: 'Add a server' })).toHaveAttribute('href', '/servers?add=true')
})

it('keeps its filters in the URL and clears them where nothing matches', async () => {
  const { user, router } = shown([open, own], '/breakers?state=half-open')
  await user.click(await screen.findByRole('button', { name: 'Clear filters' }))
  expect(await group('Open')).toBeInTheDocument()
  await user.type(screen.getByRole('textbox', { name: 'Filter breakers' }), 'itself?')
  await waitFor(() => expect(router.state.location.search).toEqual({ q: 'itself?' }))
})

it('says what went wrong and tries again', async () => {
  let works = false
  answering({
    'GET /servers': () => ({ json: [] }),
    'GET /breakers': () =>
      works ? { json: [own] } : { status: 400, json: { error: { code: 'x', message: 'it is broken', field: null } } },
  })
  const { user } = show(<Breakers />, { at: '/breakers' })
  expect(await screen.findByText('it is broken')).toBeInTheDocument()
  works = true
  await user.click(screen.getByRole('button', { name: 'Try again' }))
  expect(await screen.findByRole('heading', { name: '1 closed' })).toBeInTheDocument()
})
