import { act, screen, waitFor, within } from '@testing-library/react'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { live } from '../../api/live'
import type { InFlightAnswer, RequestAnswer } from '../../api/types'
import { answering, show } from '../../test/render'
import { anAttempt, aRequest, running } from '../../test/requests'
import { aServer } from '../../test/servers'
import { type FakeSource, fakeSources } from '../../test/stream'
import { Requests } from './requests'

let opened: FakeSource[]
let stop: () => void

beforeEach(() => {
  opened = fakeSources()
  stop = live.start()
  opened.at(-1)?.hello()
  // Without a layout nothing would be in sight.
  vi.spyOn(Element.prototype, 'clientHeight', 'get').mockReturnValue(600)
  vi.spyOn(Element.prototype, 'clientWidth', 'get').mockReturnValue(1200)
  HTMLElement.prototype.scrollTo = (() => {}) as never
})
afterEach(() => stop())

interface World {
  requests?: RequestAnswer[]
  inFlight?: InFlightAnswer[]
  more?: Parameters<typeof answering>[0]
}
function serving({ requests = [], inFlight = [], more = {} }: World = {}) {
  const list = () => ({ json: { requests, inFlight, total: requests.length } })
  return answering({
    'GET /servers': () => ({ json: [aServer({ id: 'gpu-1', name: 'GPU box 1' })] }),
    'GET /requests': list,
    'GET /requests?limit=1': list,
    ...more,
  })
}
const open = (search = '') => show(<Requests />, { at: `/requests${search}` })
const rows = () => within(screen.getByRole('table')).getAllByRole('row').slice(1)
/** The newest stream, which was opened for this page. */
const say = (name: string, data: object) => act(async () => opened.at(-1)?.say(name, data))
const three = ['c', 'b', 'a'].map((id) => aRequest({ id, model: `model-${id}` }))

it('says what would be here before the first request, with a command to send one', async () => {
  serving()
  open()
  expect(await screen.findByText('No requests yet')).toBeVisible()
  expect(screen.getByRole('link', { name: 'Send one from the playground' })).toHaveAttribute('href', '/playground')
  expect(screen.getByRole('region', { name: 'command' })).toHaveTextContent('curl')
})

it('says why the list cannot be loaded, and tries again when asked', async () => {
  let works = false
  const answer = () =>
    works
      ? { json: { requests: three, inFlight: [], total: 3 } }
      : { status: 403, json: { error: { code: 'forbidden', message: 'not from there', field: null } } }
  serving({ more: { 'GET /requests': answer } })
  const { user } = open()
  expect(await screen.findByText('not from there')).toBeVisible()
  works = true
  await user.click(screen.getByRole('button', { name: 'Try again' }))
  expect(await screen.findByText('model-b')).toBeVisible()
})

it('does not pass off what the stream tells as the whole list', async () => {
  const failed = { status: 403, json: { error: { code: 'forbidden', message: 'not from there', field: null } } }
  serving({ more: { 'GET /requests': () => failed } })
  open()
  await screen.findByText('not from there')
  await say('requests', { requests: [aRequest({ id: 'd', model: 'model-d' })], dropped: 0 })
  expect(await screen.findByText('model-d')).toBeVisible()
  expect(screen.getByText('not from there')).toBeVisible()
  expect(screen.getByRole('button', { name: 'Try again' })).toBeVisible()
})

/** A window as wide as that, in pixels. */
const wide = (pixels: number) =>
  vi.spyOn(window, 'matchMedia').mockImplementation((query) => {
    const most = Number(/max-width: ([\d.]+)em/.exec(query)?.[1] ?? 0) * 16
    return { matches: pixels <= most, addEventListener() {}, removeEventListener() {} } as never
  })

it.each([
  [1199, 'card', 0],
  [1280, 'table', 8],
  [1440, 'table', 10],
])('fits the log into a window of %i px: %s, %i columns', async (width, _, columns) => {
  const window = wide(width)
  serving({ requests: three })
  open()
  await screen.findByText('model-a')
  expect(screen.queryAllByRole('columnheader')).toHaveLength(columns)
  window.mockRestore()
})

it('keeps Cancel in sight where the columns of what runs have no room', async () => {
  const window = wide(768)
  serving({ inFlight: [running()] })
  open('?view=inflight')
  const cards = await screen.findByRole('list', { name: 'Requests in flight' })
  expect(within(cards).getByRole('button', { name: /^Cancel the request for/ })).toBeVisible()
  window.mockRestore()
})

it('shows a row in words: an answer, a 200 that broke, a second try', async () => {
  serving({
    requests: [
      aRequest({ id: 'c' }),
      aRequest({ id: 'b', failure: 'truncated', completionTokens: null, promptTokens: null }),
      aRequest({ id: 'a', attempts: [anAttempt({ outcome: 'connectError' }), anAttempt()] }),
    ],
  })
  open()
  await screen.findAllByText('llama3.2:3b')
  const [answered, broken, retried] = rows()
  expect(answered).toHaveTextContent('Answered200llama3.2:3bchat OllamaGPU box 110.0.0.750 ms1.05 s12 / 100100')
  expect(broken).toHaveTextContent('Cut short200')
  expect(broken).toHaveTextContent('1.05 s––')
  expect(retried).toHaveTextContent('GPU box 1 2 tries')
})

it('takes its filters from the address and offers to clear them where nothing matches', async () => {
  serving({ requests: three })
  const { user, router } = open('?q=nobody&result=failed')
  expect(await screen.findByText('No request matches')).toBeVisible()
  expect(screen.getByRole('textbox', { name: 'Filter requests' })).toHaveValue('nobody')
  await user.click(screen.getByRole('button', { name: 'Clear filters' }))
  expect(await screen.findByText('model-a')).toBeVisible()
  expect(router.state.location.searchStr).toBe('')
})

it('puts its filters into the address', async () => {
  serving({ requests: three })
  const { user, router } = open()
  await screen.findByText('model-a')
  await user.type(screen.getByRole('textbox', { name: 'Filter requests' }), 'model-b')
  await user.click(screen.getByRole('combobox', { name: 'Result' }))
  await user.click(screen.getByRole('option', { name: 'Answered' }))
  await waitFor(() => expect(router.state.location.search).toEqual({ q: 'model-b', result: 'ok' }))
  expect(rows()).toHaveLength(1)
  expect(screen.getByText(/Showing 1 of 3/)).toBeVisible()
})

it('follows the stream, and asks again for what ended before it was open', async () => {
  const asked = serving({ requests: three })
  open()
  await screen.findByText('model-a')
  const before = asked.filter(({ key }) => key === 'GET /requests').length
  await waitFor(() => expect(opened.at(-1)?.url).toContain('requests'))
  await act(async () => opened.at(-1)?.hello())
  await waitFor(() => expect(asked.filter(({ key }) => key === 'GET /requests')).toHaveLength(before + 1))
  await say('requests', { requests: [aRequest({ id: 'd', model: 'model-d' })], dropped: 7 })
  expect(await screen.findByText('model-d')).toBeVisible()
  expect(rows()[0]).toHaveTextContent('model-d')
  expect(screen.getByText('7 not shown: too many at once.')).toBeVisible()
})

it('holds still while paused, says how many are new, and shows them when asked', async () => {
  serving({ requests: three })
  const { user } = open()
  await screen.findByText('model-a')
  await user.click(screen.getByRole('button', { name: 'Pause' }))
  await say('requests', { requests: [aRequest({ id: 'e', model: 'model-e' }), aRequest({ id: 'd' })], dropped: 0 })
  await user.click(await screen.findByRole('button', { name: '2 new, show' }))
  expect(rows()[0]).toHaveTextContent('model-e')
  await say('requests', { requests: [aRequest({ id: 'f', model: 'model-f' })], dropped: 0 })
  expect(await screen.findByRole('button', { name: '1 new, show' })).toBeVisible()
  await user.click(screen.getByRole('button', { name: 'Resume' }))
  expect(rows()[0]).toHaveTextContent('model-f')
  expect(screen.queryByRole('button', { name: /new, show/ })).toBeNull()
})

it('does not move the rows below the keyboard', async () => {
  serving({ requests: three })
  open()
  await screen.findByText('model-a')
  act(() =>
    within(rows()[1] as HTMLElement)
      .getByRole('button')
      .focus(),
  )
  await say('requests', { requests: [aRequest({ id: 'd', model: 'model-d' })], dropped: 0 })
  expect(await screen.findByRole('button', { name: '1 new, show' })).toBeVisible()
  expect(rows()[0]).toHaveTextContent('model-c')
})

it('does not move the rows below the mouse, and goes on once that has left', async () => {
  serving({ requests: three })
  const { user } = open()
  await user.hover(await screen.findByText('model-a'))
  await say('requests', { requests: [aRequest({ id: 'd', model: 'model-d' })], dropped: 0 })
  expect(await screen.findByRole('button', { name: '1 new, show' })).toBeVisible()
  expect(rows()[0]).toHaveTextContent('model-c')
  await user.unhover(screen.getByText('model-a'))
  await waitFor(() => expect(rows()[0]).toHaveTextContent('model-d'))
  expect(screen.queryByRole('button', { name: /new, show/ })).toBeNull()
})

const detail = (request: RequestAnswer) => ({
  [`GET /requests/${request.id}`]: () => ({
    json: {
      ...request,
      headers: [
        { name: 'user-agent', value: 'some-sdk/1' },
        { name: 'authorization', value: null },
      ],
    },
  }),
})

it('opens the details of a row, goes on with J and K, and gives the focus back to the row', async () => {
  serving({ requests: three, more: Object.assign({}, ...three.map(detail)) })
  const { user, router } = open()
  await screen.findByText('model-a')
  await user.click(screen.getByText('model-c'))
  const dialog = await screen.findByRole('dialog', { name: /^Request$/ })
  expect(await within(dialog).findByText('hidden')).toBeVisible()
  expect(within(dialog).getByText('Answered by GPU box 1.')).toBeVisible()
  expect(within(dialog).getByRole('region', { name: 'command' })).toHaveTextContent('Bearer $YOUR_KEY')
  expect(router.state.location.search).toEqual({ id: 'c' })
  await user.keyboard('jj')
  await waitFor(() => expect(router.state.location.search).toEqual({ id: 'a' }))
  await user.keyboard('k')
  await waitFor(() => expect(router.state.location.search).toEqual({ id: 'b' }))
  await user.keyboard('{Escape}')
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
  await waitFor(() => expect(within(rows()[1] as HTMLElement).getByRole('button')).toHaveFocus())
})

it('says that a request is not kept any more', async () => {
  const gone = { status: 404, json: { error: { code: 'unknown_request', message: 'none', field: null } } }
  serving({ requests: three, more: { 'GET /requests/gone': () => gone } })
  open('?id=gone')
  expect(await screen.findByText('This request is not kept')).toBeVisible()
})

it('tells what runs: phase, server, and that nothing has come for long', async () => {
  serving({
    inFlight: [
      running({ id: 'a', idleSeconds: 12.3 }),
      running({ id: 'b', phase: 'queued', server: '', idleSeconds: null, attempts: 0 }),
      running({ id: 'c', phase: 'waiting', idleSeconds: null }),
    ],
  })
  open('?view=inflight')
  expect(await screen.findByText('Stalled 12 s')).toBeVisible()
  const [, queued, waiting] = rows()
  expect(queued).toHaveTextContent('Queued')
  expect(queued).toHaveTextContent('–')
  expect(waiting).toHaveTextContent('Waiting for the first token')
  expect(waiting).toHaveTextContent('GPU box 1')
})

it('follows what runs by the stream, and says so when nothing does', async () => {
  serving({ inFlight: [running()] })
  open('?view=inflight')
  await screen.findByText('Answering')
  await waitFor(() => expect(opened.at(-1)?.url).toContain('inflight'))
  await say('inflight', { inFlight: [running(), running({ id: 'two' })], total: 412 })
  expect(await screen.findByText(/The oldest 2 of 412/)).toBeVisible()
  expect(screen.getByRole('tab', { name: 'In flight (412)' })).toBeVisible()
  await say('inflight', { inFlight: [], total: 0 })
  expect(await screen.findByText('Nothing is in flight')).toBeVisible()
})

it('cancels a request after having said what that does, and takes it off the list', async () => {
  const cancel = 'POST /requests/one%2Ftwo/cancel'
  const asked = serving({
    inFlight: [running({ id: 'one/two' })],
    more: { [cancel]: () => ({ json: { cancelled: 1 } }) },
  })
  const { user } = open('?view=inflight')
  await user.click(await screen.findByRole('button', { name: 'Cancel the request for llama3.2:3b from 10.0.0.7' }))
  const dialog = await screen.findByRole('dialog')
  expect(dialog).toHaveTextContent(
    'The client gets an error instead of the rest of its answer, and the server is freed',
  )
  expect(asked.map(({ key }) => key)).not.toContain(cancel)
  await waitFor(() => expect(within(dialog).getByRole('button', { name: 'Keep it running' })).toHaveFocus())
  await user.click(within(dialog).getByRole('button', { name: 'Cancel the request' }))
  expect(await screen.findByText('Nothing is in flight')).toBeVisible()
  expect(asked.map(({ key }) => key)).toContain(cancel)
  // The stream may tell of it once more before it has ended.
  await say('inflight', { inFlight: [running({ id: 'one/two' })], total: 1 })
  expect(screen.getByText('Nothing is in flight')).toBeVisible()
  await waitFor(() => expect(screen.getByRole('region', { name: 'Requests in flight' })).toHaveFocus())
})

it('speaks of no server to free while a request is still queued', async () => {
  serving({ inFlight: [running({ phase: 'queued', server: '', idleSeconds: null, attempts: 0 })] })
  const { user } = open('?view=inflight')
  await user.click(await screen.findByRole('button', { name: /^Cancel the request for/ }))
  const dialog = await screen.findByRole('dialog')
  expect(dialog).toHaveTextContent('The client gets an error, and the request leaves the queue.')
  expect(dialog).not.toHaveTextContent('freed')
})

it('gives the focus to the list when the cancelled request was not the only one', async () => {
  serving({
    inFlight: [running(), running({ id: 'two', client: '10.0.0.8' })],
    more: { 'POST /requests/one/cancel': () => ({ json: { cancelled: 1 } }) },
  })
  const { user } = open('?view=inflight')
  await user.click(await screen.findByRole('button', { name: /^Cancel the request for .* 10.0.0.7/ }))
  await user.click(within(await screen.findByRole('dialog')).getByRole('button', { name: 'Cancel the request' }))
  await waitFor(() => expect(rows()).toHaveLength(1))
  await waitFor(() => expect(screen.getByRole('region', { name: 'Requests in flight' })).toHaveFocus())
})

it('says why a request was not cancelled, and leaves it there', async () => {
  const ended = { error: { code: 'ended', message: 'the request has already ended', field: null } }
  serving({ inFlight: [running()], more: { 'POST /requests/one/cancel': () => ({ status: 409, json: ended }) } })
  const { user } = open('?view=inflight')
  await user.click(await screen.findByRole('button', { name: /^Cancel the request for/ }))
  await user.click(within(await screen.findByRole('dialog')).getByRole('button', { name: 'Cancel the request' }))
  expect(await screen.findByText('the request has already ended')).toBeVisible()
  expect(screen.getByText('Answering')).toBeInTheDocument()
})
