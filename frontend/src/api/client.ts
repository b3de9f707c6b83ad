import type { ErrorBody } from './types'

/** Of changes: loading a model takes its time. */
const CHANGE_SECONDS = 600
const READ_SECONDS = 30

/** An error answer of the admin API, or (status 0) no answer at all. field: the member of the body at fault. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly field: string | null = null,
    readonly retryAfterSeconds: number | null = null,
  ) {
    super(message)
  }
}

export interface Ask {
  method?: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  json?: unknown
  signal?: AbortSignal
}

/** The decoded answer of `/api/...`. Throws ApiError; an AbortError if `signal` fires. */
export async function api<T>(path: string, { method = 'GET', json, signal }: Ask = {}): Promise<T> {
  // Everything but a GET says that it is JSON, also without a body: a form of another page cannot.
  const body = method === 'GET' ? undefined : JSON.stringify(json ?? {})
  const init: RequestInit = { method, headers: body === undefined ? {} : { 'content-type': 'application/json' } }
  if (body !== undefined && (json !== undefined || method !== 'DELETE')) init.body = body
  const deadline = AbortSignal.timeout((method === 'GET' ? READ_SECONDS : CHANGE_SECONDS) * 1000)
  init.signal = signal ? AbortSignal.any([signal, deadline]) : deadline
  let response: Response
  try {
    response = await fetch(`/api${path}`, init)
  } catch (error) {
    if (signal?.aborted) throw error
    if (deadline.aborted) throw new ApiError(0, 'no_answer', 'The orchestrator did not answer in time.')
    throw new ApiError(0, 'unreachable', 'The orchestrator cannot be reached.')
  }
  if (!response.ok) throw await errorOf(response)
  return (response.status === 204 ? undefined : await response.json()) as T
}

async function errorOf(response: Response): Promise<ApiError> {
  const told = (await response.json().catch(() => null)) as Partial<ErrorBody> | null
  const detail = told?.error
  if (detail && typeof detail === 'object' && typeof detail.message === 'string')
    return new ApiError(response.status, detail.code, detail.message, detail.field ?? null, retryAfterOf(response))
  return new ApiError(
    response.status,
    'unknown',
    `The orchestrator answered ${response.status} ${response.statusText}`.trim(),
  )
}

function retryAfterOf(response: Response): number | null {
  const seconds = Number.parseInt(response.headers.get('retry-after') ?? '', 10)
  return seconds >= 0 ? seconds : null
}

export const isSignedOut = (error: unknown) => error instanceof ApiError && error.status === 401
