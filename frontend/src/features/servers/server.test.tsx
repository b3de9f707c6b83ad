import { screen, waitFor, within } from '@testing-library/react'
import { describe, expect, it } from 'vitest'
import type { RequestAnswer, ServerAnswer } from '../../api/types'
import { showPage } from '../../test/page'
import { answering } from '../../test/render'
import { aServer } from '../../test/servers'
import { ServerPage } from './server'

const models = {
  models: [{ name: 'a:latest', modified: '', size: 1e9, digest: '', details: null, loaded: true, allowed: false }],
  v1Models: [],
}

function shown(server: ServerAnswer, at: string, answers: Parameters<typeof answering>[0] = {}) {
  answering({
    'GET /servers': () => ({ json: [server] }),
    'GET /servers/gpu-1/models': () => ({ json: models }),
    'GET /servers/gpu-1/history': () => ({ json: { server: 'gpu-1', checks: [] } }),
    'GET /breakers': () => ({ json: [] }),
    ...answers,
  })
  return showPage('/servers/$id', ServerPage, at)
}

describe('the page of a server', () => {
  it('says so where there is no such server, with a way back', async () => {
    shown(aServer(), '/servers/nobody')
    expect(await screen.findByText('There is no server nobody')).toBeInTheDocument()
    expect(screen.getByRole('link', { name: 'To the servers' })).toHaveAttribute('href', '/servers')
  })
  it('shows the name, why it is not well, and the URL to copy', async () => {
    shown(aServer({ name: 'Attic', status: 'down', statusReason: 'connection refused' }), '/servers/gpu-1')
    expect(await screen.findByRole('heading', { level: 1, name: 'Attic' })).toBeInTheDocument()
    expect(screen.getByText('Connection refused')).toBeInTheDocument()
    expect(screen.getByRole('button', { name: 'Copy base URL' })).toBeInTheDocument()
  })
  it('begins with the models, those in memory first', async () => {
    const loadedModels = [{ name: 'a:latest', size: 4e9, sizeVram: 4e9, expiresAt: '', contextLength: 8192 }]
    shown(aServer({ loadedModels }), '/servers/gpu-1')
    const memory = within(await screen.findByRole('table', { name: 'Models in memory' }))
    expect(memory.getByText('100 % · 4.0 GB')).toBeInTheDocument()
    const list = within(await screen.findByRole('table', { name: 'Models in Ollama’s list' }))
    expect(list.getByText('denied to requests')).toBeInTheDocument()
    expect(screen.queryByRole('table', { name: 'Models in OpenAI’s list' })).toBeNull()
  })
  it('keeps the tab in the URL', async () => {
    const { user, router } = shown(aServer(), '/servers/gpu-1')
    await user.click(await screen.findByRole('tab', { name: 'Health' }))
    expect(await screen.findByText('No checks yet')).toBeInTheDocument()
    expect(router.state.location.search).toEqual({ tab: 'health' })
    await user.click(screen.getByRole('tab', { name: 'Models' }))
    await waitFor(() => expect(router.state.location.search).toEqual({}))
  })
  it('tells what is registered, and of secrets only that they are there', async () => {
    const secrets = { apiKey: '***REDACTED***', headers: { 'X-Team': '***REDACTED***', 'X-Org': 'env:ORG' } }
    shown(aServer({ ...secrets, idleTimeoutSeconds: 90 }), '/servers/gpu-1?tab=configuration')
    expect(await screen.findByText('A key is set')).toBeInTheDocument()
    expect(screen.getByText('a value is set')).toBeInTheDocument()
    expect(screen.getByText('from the variable ORG')).toBeInTheDocument()
    expect(screen.getByText('1 m 30 s')).toBeInTheDocument()
    expect(document.body).not.toHaveTextContent('REDACTED')
  })
  it('counts how attempts ended and shows the latest requests', async () => {
    const request = { id: 'r1', time: 1, model: 'a', path: '/api/chat', server: 'gpu-1', stream: true, attempts: [] }
    const failed = {
      ...request,
      failure: 'truncated',
      outcome: 'truncated',
      reason: 'the stream ended early',
      status: 200,
    }
    const times = { queuedSeconds: 0, connectedSeconds: 0, firstEventSeconds: 0.2, durationSeconds: 1.5 }
    const row = { ...failed, ...times, promptTokens: 5, completionTokens: null } as unknown as RequestAnswer
    shown(aServer({ outcomes: { ok: 1234, timeout: 2, auth: 0 } }), '/servers/gpu-1?tab=requests', {
      'GET /requests?server=gpu-1&limit=50': () => ({ json: { requests: [row], inFlight: [], total: 1 } }),
    })
    const counted = (await screen.findByRole('region', { name: 'Attempts since the start' })).textContent
    expect(counted).toContain('Answered1,234')
    expect(counted).not.toContain('Key refused')
    const table = within(await screen.findByRole('table', { name: 'Latest requests' }))
    expect(table.getByText('Cut short')).toBeInTheDocument()
    expect(table.getByText('the stream ended early')).toBeInTheDocument()
    expect(table.getByText('5 / –')).toBeInTheDocument()
  })
})
