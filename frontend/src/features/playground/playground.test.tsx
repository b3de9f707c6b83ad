import { screen, waitFor, within } from '@testing-library/react'
import { beforeEach, expect, it, vi } from 'vitest'
import type { FleetModel } from '../../api/types'
import { aModel, goes } from '../../test/models'
import { show } from '../../test/render'
import { aServer } from '../../test/servers'
import { Playground } from './playground'

const MODELS = [
  aModel({ name: 'llama', openai: goes('gpu-1') }),
  aModel({ name: 'gpt', ollama: null, openai: goes('cloud'), servers: { cloud: { openai: true } } }),
]
const HEADERS = { 'x-orchestrator-server': 'gpu-1', 'x-orchestrator-attempts': '1', 'x-request-id': 'r1' }

interface Sent {
  path: string
  headers: Record<string, string>
  body: Record<string, unknown>
}
let sent: Sent[]
/** How models answer; each test may give another one. */
let answers: (path: string, signal: AbortSignal) => Response

const chat = (text: string) =>
  new Response(
    `${JSON.stringify({ message: { content: text } })}\n{"done":true,"prompt_eval_count":3,"eval_count":20,"eval_duration":2e9}\n`,
    { headers: HEADERS },
  )
const completion = (text: string) =>
  new Response(`data: ${JSON.stringify({ choices: [{ delta: { content: text } }] })}\n\ndata: [DONE]\n\n`, {
    headers: HEADERS,
  })

function serving(models: FleetModel[] = MODELS) {
  vi.stubGlobal(
    'fetch',
    vi.fn(async (path: string, init: RequestInit = {}) => {
      if (path === '/api/models') return Response.json({ models })
      if (path === '/api/servers') return Response.json([aServer({ id: 'gpu-1', name: 'GPU box 1' })])
      const headers = Object.fromEntries(init.headers as [string, string][])
      sent.push({ path, headers, body: JSON.parse(String(init.body)) })
      return answers(path, init.signal as AbortSignal)
    }),
  )
}
beforeEach(() => {
  sent = []
  answers = (path) => (path === '/api/chat' ? chat('Hello **you**') : completion('Hello as well'))
})

const open = (search = '') => show(<Playground />, { at: `/playground${search}` })
const log = () => screen.getByRole('log', { name: 'Conversation' })

it('leads to the servers while none has a model', async () => {
  serving([])
  open()
  expect(await screen.findByText('No server has a model yet')).toBeVisible()
  expect(screen.getByRole('link', { name: 'To the servers' })).toHaveAttribute('href', '/servers')
})

it('says why the models cannot be loaded', async () => {
  vi.stubGlobal(
    'fetch',
    vi.fn(async () => Response.json({ error: { code: 'forbidden', message: 'not from there' } }, { status: 403 })),
  )
  open()
  expect(await screen.findByText('not from there')).toBeVisible()
})

it('sends with Enter, shows the answer and its figures, and leads to the request', async () => {
  serving()
  const { user } = open('?model=llama')
  await user.type(await screen.findByRole('textbox', { name: 'Message' }), 'Hi{Shift>}{Enter}{/Shift}there{Enter}')
  expect(await screen.findByText('you')).toBeVisible()
  expect(sent).toEqual([
    {
      path: '/api/chat',
      headers: { 'Content-Type': 'application/json' },
      body: { model: 'llama', stream: true, messages: [{ role: 'user', content: 'Hi\nthere' }] },
    },
  ])
  expect(log()).toHaveTextContent(/GPU box 1 · 1 try · TTFT .* · 3 tokens in, 20 out · 10.0 tokens\/s · /)
  expect(screen.getByRole('link', { name: 'Details of the request' })).toHaveAttribute('href', '/requests?id=r1')
  expect(screen.getByRole('textbox', { name: 'Message' })).toHaveValue('')
  expect(screen.getByText('llama has answered')).toBeInTheDocument()
})

it('asks a fixed server, in the API and with the options that were chosen', async () => {
  serving()
  const { user } = open('?model=llama&style=openai&server=gpu-1')
  await user.type(await screen.findByRole('textbox', { name: 'Temperature' }), '0.5')
  await user.type(screen.getByRole('textbox', { name: 'System prompt' }), 'Be brief.')
  expect(screen.queryByRole('textbox', { name: 'Context length' })).toBeNull()
  await user.type(screen.getByRole('textbox', { name: 'Message' }), 'Hi')
  expect(screen.getByRole('region', { name: 'command' })).toHaveTextContent('/v1/chat/completions')
  expect(screen.getByRole('region', { name: 'command' })).toHaveTextContent('"temperature":0.5')
  await user.click(screen.getByRole('button', { name: 'Send' }))
  expect(await screen.findByText('Hello as well')).toBeVisible()
  expect(sent[0]).toMatchObject({
    path: '/v1/chat/completions',
    headers: { 'X-Orchestrator-Server': 'gpu-1' },
    body: {
      temperature: 0.5,
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hi' },
      ],
    },
  })
  expect(log()).toHaveTextContent('– tokens in, – out · – tokens/s')
})

it('sends one prompt to two models, each in an API that it is served in', async () => {
  serving()
  const { user } = open('?model=llama&with=gpt')
  await user.type(await screen.findByRole('textbox', { name: 'Message' }), 'Hi{Enter}')
  expect(await screen.findByText('Hello as well')).toBeVisible()
  expect(await screen.findByText('you')).toBeVisible()
  expect(sent.map(({ path, body }) => [path, body.model])).toEqual([
    ['/api/chat', 'llama'],
    ['/v1/chat/completions', 'gpt'],
  ])
  expect(screen.getByRole('region', { name: 'command for gpt' })).toBeInTheDocument()
})

it('puts what is chosen into the address', async () => {
  serving()
  const { user, router } = open()
  await user.click(await screen.findByRole('combobox', { name: 'Compare with' }))
  await user.click(await screen.findByRole('option', { name: 'gpt' }))
  await user.click(screen.getByRole('radio', { name: 'OpenAI' }))
  await waitFor(() => expect(router.state.location.search).toEqual({ with: 'gpt', style: 'openai' }))
})

it('shows no choice of APIs where there is none', async () => {
  serving()
  open('?model=gpt')
  expect(await screen.findByText('OpenAI only')).toBeVisible()
  expect(screen.queryByRole('radio')).toBeNull()
})

it('stops the request itself, says so, and goes back to the message', async () => {
  serving()
  let stopped = false
  answers = (_, signal) => {
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(`${JSON.stringify({ message: { content: 'Once upon' } })}\n`))
        signal.addEventListener('abort', () => {
          stopped = true
          controller.error(new DOMException('', 'AbortError'))
        })
      },
    })
    return new Response(body, { headers: HEADERS })
  }
  const { user } = open('?model=llama')
  await user.type(await screen.findByRole('textbox', { name: 'Message' }), 'Hi{Enter}')
  await screen.findByText('Once upon')
  await user.click(screen.getByRole('button', { name: 'Stop' }))
  expect(await screen.findByText(/^Stopped · GPU box 1/)).toBeVisible()
  expect(stopped).toBe(true)
  expect(screen.getByRole('textbox', { name: 'Message' })).toHaveFocus()
  expect(screen.getByRole('button', { name: 'Send' })).toBeVisible()
})

it('shows an error in its words, with what had been said before it', async () => {
  serving()
  answers = () => new Response('{"message":{"content":"Once upon"}}\n{"error":"out of memory"}\n', { headers: HEADERS })
  const { user } = open('?model=llama')
  await user.type(await screen.findByRole('textbox', { name: 'Message' }), 'Hi{Enter}')
  expect(await screen.findByText('The answer was cut short: out of memory')).toBeVisible()
  expect(within(log()).getByText('Once upon')).toBeVisible()
})

it('folds away what a model was thinking and shows HTML as text', async () => {
  serving()
  answers = () =>
    new Response(
      '{"message":{"thinking":"Hm.","content":""}}\n{"message":{"content":"<img src=x onerror=alert(1)> ![a cat](http://elsewhere/cat.png)"}}\n{"done":true}\n',
    )
  const { user } = open('?model=llama')
  await user.type(await screen.findByRole('textbox', { name: 'Message' }), 'Hi{Enter}')
  expect(await within(log()).findByText(/<img src=x onerror=alert\(1\)>/)).toHaveTextContent('[picture: a cat]')
  expect(document.querySelector('img')).toBeNull()
  expect(screen.getByText('Hm.')).not.toBeVisible()
  await user.click(screen.getByText('What it was thinking'))
  expect(screen.getByText('Hm.')).toBeVisible()
})

it('repeats in the command what was sent last, and invents no message before', async () => {
  serving()
  const { user } = open('?model=llama')
  const message = await screen.findByRole('textbox', { name: 'Message' })
  const command = () => screen.getByRole('region', { name: 'command' })
  expect(command()).toHaveTextContent('"content":"<your message>"')
  await user.type(message, 'Hi{Enter}')
  await screen.findByText('you')
  expect(command()).toHaveTextContent(JSON.stringify(sent[0]?.body))
  await user.type(message, 'And{Enter}')
  await waitFor(() => expect(command()).toHaveTextContent(JSON.stringify(sent[1]?.body ?? 'not sent yet')))
})

it('forgets the conversation when cleared', async () => {
  serving()
  const { user } = open('?model=llama')
  await user.type(await screen.findByRole('textbox', { name: 'Message' }), 'Hi{Enter}')
  await screen.findByText('you')
  await user.click(screen.getByRole('button', { name: 'Clear' }))
  expect(log()).toHaveTextContent('Ask something.')
  expect(screen.getByRole('button', { name: 'Clear' })).toBeDisabled()
})
