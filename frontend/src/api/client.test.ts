import { expect, it, vi } from 'vitest'
import { answering } from '../test/render'
import { ApiError, api } from './client'

const failure = async (path: string, signal?: AbortSignal) =>
  (await api(path, signal ? { signal } : {}).catch((error: unknown) => error)) as ApiError

it('tells the reason, the member at fault and how long to wait, as the orchestrator does', async () => {
  const error = { code: 'too_many_tries', message: 'wait', field: 'token' }
  answering({ 'GET /x': () => ({ status: 429, json: { error }, headers: { 'retry-after': '7' } }) })
  expect(await failure('/x')).toMatchObject({ status: 429, ...error, retryAfterSeconds: 7 })
})

it('makes do with an error that is not in the shape of the admin API', async () => {
  vi.stubGlobal('fetch', async () => new Response('<h1>Bad gateway</h1>', { status: 502, statusText: 'Bad Gateway' }))
  expect(await failure('/x')).toMatchObject({
    status: 502,
    message: 'The orchestrator answered 502 Bad Gateway',
    retryAfterSeconds: null,
  })
})

it('says so when nothing answers', async () => {
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')))
  expect(await failure('/x')).toMatchObject({ status: 0, code: 'unreachable' })
})

it('says so when the answer takes too long', async () => {
  const abort = new AbortController()
  vi.spyOn(AbortSignal, 'timeout').mockReturnValue(abort.signal)
  vi.stubGlobal('fetch', async (_: string, init: RequestInit) => {
    abort.abort()
    init.signal?.throwIfAborted()
  })
  expect(await failure('/x')).toMatchObject({ status: 0, code: 'no_answer' })
})

it('passes on that it was called off', async () => {
  const abort = new AbortController()
  vi.stubGlobal('fetch', async (_: string, init: RequestInit) => {
    abort.abort()
    init.signal?.throwIfAborted()
  })
  const error = await failure('/x', abort.signal)
  expect(error).not.toBeInstanceOf(ApiError)
  expect(error.name).toBe('AbortError')
})

it('says of everything but a GET that it is JSON, also without a body', async () => {
  const headers: unknown[] = []
  vi.stubGlobal('fetch', async (_: string, init: RequestInit) => {
    headers.push([init.method, init.headers, init.body])
    return new Response(null, { status: 204 })
  })
  await api('/x')
  await api('/x', { method: 'DELETE' })
  await api('/x', { method: 'POST' })
  const json = { 'content-type': 'application/json' }
  expect(headers).toEqual([
    ['GET', {}, undefined],
    ['DELETE', json, undefined],
    ['POST', json, '{}'],
  ])
})
