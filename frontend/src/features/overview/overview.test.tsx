import { act, screen, within } from '@testing-library/react'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { live } from '../../api/live'
import type { EventAnswer, ServerAnswer } from '../../api/types'
import { aPoint } from '../../test/points'
import { type Asked, answering, show } from '../../test/render'
import { aServer } from '../../test/servers'
import { type FakeSource, fakeSources } from '../../test/stream'
import { Overview } from './overview'

let opened: FakeSource[]
let stop: () => void
// Points rise from test to test: the ring outlives them.
let now = 1_000_000

beforeEach(() => {
  now += 10_000
  opened = fakeSources()
  stop = live.start()
})
afterEach(() => stop())

const anEvent = (some: Partial<EventAnswer> = {}): EventAnswer => ({
  number: 1,
  time: now,
  kind: 'serverStatus',
  level: 'error',
  server: 'attic',
  model: null,
  message: 'attic is down: connection refused',
  ...some,
})
const points = (seconds: number, some = {}) =>
  Array.from({ length: seconds }, (_, at) => aPoint(now - seconds + at + 1, some))

interface World {
  servers?: ServerAnswer[]
  events?: EventAnswer[]
  history?: object
}
function serving({
  servers = [aServer({ id: 'attic' })],
  events = [],
  history = { points: points(20) },
}: World = {}): Asked[] {
  const past = () => ({ json: { points: [], checks: {}, ...history } })
  return answering({
    'GET /servers': () => ({ json: servers }),
    'GET /activity?limit=100': () => ({ json: { events } }),
    'GET /history?seconds=300': past,
    'GET /history?seconds=3600': past,
  })
}
const tile = (...parts: string[]) => {
  const name = new RegExp(`^${parts.map((part) => part.replace(/[.%]/g, String.raw`\$&`)).join(String.raw`\s*`)}`)
  return screen.findByRole('link', { name })
}

it('tells rates of the last ten seconds, errors of the last minute', async () => {
  serving({
    history: { points: points(60, { requests: 12, completionTokens: 400, promptTokens: 50, errors: { timeout: 3 } }) },
  })
  show(<Overview />)
  expect(await tile('Requests/s', '12.0', 'last 10 s')).toHaveAttribute('href', '/requests')
  expect(await tile('Output tokens/s', '400', 'prompt 50.0/s, last 10 s')).toBeVisible()
  expect(await tile('Errors/s', '3.00', '25 % of requests, last 60 s')).toHaveAttribute(
    'href',
    '/requests?result=error',
  )
})

it('goes on by the stream', async () => {
  serving()
  show(<Overview />)
  await tile('In flight', '0', 'none waiting')
  const more = { inFlight: 7, queued: 2, recentFirstTokenP50Seconds: 0.25, recentFirstTokenP95Seconds: 1.5 }
  act(() => opened.at(-1)?.say('metrics', aPoint(now + 1, more)))
  expect(await tile('In flight', '7', '2 waiting for a server')).toHaveAttribute('href', '/requests?view=inflight')
  expect(await tile('TTFT p50', '250 ms', 'p95 1.50 s, last 10 s')).toBeVisible()
})

it('invents no figure where there is none', async () => {
  serving({ history: { points: points(5) } })
  show(<Overview />)
  expect(await tile('TTFT p50', '–', 'no first token in the last 5 s')).toBeVisible()
  expect(await tile('Requests/s', '0', 'last 5 s')).toBeVisible()
  expect(await tile('Errors/s', '0', 'none in 5 s')).toBeVisible()
})

it('does not deny streams whose percentiles were not told', async () => {
  serving({ history: { points: points(20, { firstTokenP50Seconds: 0.2 }) } })
  show(<Overview />)
  expect(await tile('TTFT p50', '–', '–')).toBeVisible()
})

it('names the servers that are not up, and links to them', async () => {
  serving({ servers: [aServer({ id: 'attic', status: 'down' }), aServer({ id: 'cellar' })] })
  show(<Overview />)
  expect(await tile('Servers up', '1 of 2', 'attic down')).toHaveAttribute('href', '/servers?status=trouble')
})

it('leads to the degraded servers where all are up', async () => {
  serving({ servers: [aServer({ id: 'attic', status: 'degraded' }), aServer({ id: 'cellar' })] })
  show(<Overview />)
  expect(await tile('Servers up', '2 of 2', 'all up, attic degraded')).toHaveAttribute(
    'href',
    '/servers?status=degraded',
  )
})

it('fills the tiles with the last minute whatever the charts span', async () => {
  answering({
    'GET /servers': () => ({ json: [aServer({ id: 'attic' })] }),
    'GET /activity?limit=100': () => ({ json: { events: [] } }),
    'GET /history?seconds=300': () => ({
      json: { points: points(60, { requests: 10, errors: { timeout: 1 } }), checks: {} },
    }),
    'GET /history?seconds=3600': () => ({ json: { points: [aPoint(now, { stepSeconds: 10 })], checks: {} } }),
  })
  show(<Overview />, { at: '/?range=1h' })
  expect(await tile('Errors/s', '1.00', '10 % of requests, last 60 s')).toBeVisible()
})

it('keeps the range in the URL and fetches what it needs', async () => {
  const asked = serving()
  const { user, router } = show(<Overview />)
  await user.click(await screen.findByRole('radio', { name: '1 h' }))
  expect(router.state.location.search).toEqual({ range: '1h' })
  await vi.waitFor(() => expect(asked.map(({ key }) => key)).toContain('GET /history?seconds=3600'))
  await user.click(screen.getByRole('radio', { name: '5 min' }))
  expect(router.state.location.search).toEqual({})
})

it('shows what waits only where something did', async () => {
  serving({ history: { points: points(5) } })
  show(<Overview />)
  await screen.findByRole('region', { name: 'Requests per second' })
  expect(screen.queryByRole('region', { name: 'Waiting for a server' })).toBeNull()
  act(() => opened.at(-1)?.say('metrics', aPoint(now + 1, { queued: 1 })))
  expect(await screen.findByRole('region', { name: 'Waiting for a server' })).toBeInTheDocument()
})

it('shows each server with its status, load and checks, and leads to its page', async () => {
  const check = { time: now, status: 'down', reason: 'refused', seconds: null }
  serving({
    servers: [
      aServer({
        id: 'attic',
        name: 'The attic',
        maxConcurrency: 8,
        inFlight: 3,
        status: 'down',
        statusReason: 'connection refused',
      }),
    ],
    history: { points: [], checks: { attic: [check, { ...check, time: now + 1 }] } },
  })
  show(<Overview />)
  const fleet = await screen.findByRole('region', { name: 'Servers' })
  const card = within(await within(fleet).findByRole('listitem'))
  expect(card.getByRole('link', { name: 'The attic' })).toHaveAttribute('href', '/servers/attic')
  for (const text of ['Down', 'connection refused', /^\d+ of 8 in flight$/]) expect(card.getByText(text)).toBeVisible()
  expect(await card.findByRole('img', { name: 'Last 2 checks: all failed' })).toBeInTheDocument()
})

it('shows those in trouble first of many servers, and all when asked', async () => {
  const servers = Array.from({ length: 30 }, (_, at) =>
    aServer({ id: `s${at}`, status: at === 29 ? 'down' : 'healthy' }),
  )
  serving({ servers })
  const { user } = show(<Overview />)
  const fleet = within(await screen.findByRole('region', { name: 'Servers' }))
  const names = () => fleet.getAllByRole('listitem').map((card) => within(card).getByRole('link').textContent)
  expect(names()).toHaveLength(24)
  expect(names().slice(0, 2)).toEqual(['s29', 's0'])
  await user.click(fleet.getByRole('button', { name: 'Show all 30 servers' }))
  expect(names()).toHaveLength(30)
})

it('lists recent events with their level in words, and takes new ones', async () => {
  serving({ events: [anEvent(), anEvent({ number: 0, server: 'gone', level: 'info', message: 'gone was removed' })] })
  const { client } = show(<Overview />)
  const events = within(await screen.findByRole('region', { name: 'Recent events' }))
  const rows = await events.findAllByRole('listitem')
  expect(rows[0]).toHaveTextContent('Error:attic is down: connection refused')
  expect(within(rows[0] as HTMLElement).getByRole('link', { name: 'attic' })).toHaveAttribute('href', '/servers/attic')
  expect(within(rows[1] as HTMLElement).queryByRole('link')).toBeNull()
  act(() => void client.setQueryData(['activity'], { events: [] }))
  expect(await events.findByText(/Nothing has happened yet/)).toBeVisible()
})

it('shows text from outside as text', async () => {
  serving({ events: [anEvent({ message: '<img src=x onerror=alert(1)>' })] })
  show(<Overview />)
  expect(await screen.findByText('<img src=x onerror=alert(1)>')).toBeVisible()
})

it('tells how to begin where there is no server yet', async () => {
  serving({ servers: [] })
  show(<Overview />)
  expect(await screen.findByRole('link', { name: 'Add server' })).toHaveAttribute('href', '/servers?add=true')
  expect(screen.getByRole('region', { name: 'Ollama base URL' })).toHaveTextContent(location.origin)
  expect(screen.getByRole('region', { name: 'OpenAI base URL' })).toHaveTextContent(`${location.origin}/v1`)
})

it('says what could not be loaded and tries again', async () => {
  let broken = true
  answering({
    'GET /servers': () => (broken ? { status: 404, json: {} } : { json: [aServer({ id: 'attic' })] }),
    'GET /activity?limit=100': () => (broken ? { status: 404, json: {} } : { json: { events: [anEvent()] } }),
    'GET /history?seconds=300': () => (broken ? { status: 404, json: {} } : { json: { points: [], checks: {} } }),
  })
  const { user } = show(<Overview />)
  for (const what of ['Servers', 'Events', 'The charts'])
    expect(await screen.findByText(`${what} could not be loaded`)).toBeVisible()
  broken = false
  for (const button of screen.getAllByRole('button', { name: 'Try again' })) await user.click(button)
  expect(await screen.findByText(/attic is down/)).toBeVisible()
  expect(await screen.findByRole('region', { name: 'Servers' })).toBeVisible()
})
