import type { ErrorBody } from './types'

/** An error answer of the admin API, or (status 0) no answer at all. field: the member of the body at fault. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly field: string | null = null,
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
  if (signal) init.signal = signal
  let response: Response
  try {
    response = await fetch(`/api${path}`, init)
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new ApiError(0, 'unreachable', 'The orchestrator cannot be reached.')
  }
  if (!response.ok) throw await errorOf(response)
  return (response.status === 204 ? undefined : await response.json()) as T
}

async function errorOf(response: Response): Promise<ApiError> {
  const told = (await response.json().catch(() => null)) as Partial<ErrorBody> | null
  const detail = told?.error
  if (detail && typeof detail === 'object' && typeof detail.message === 'string')
    return new ApiError(response.status, detail.code, detail.message, detail.field ?? null)
  return new ApiError(
    response.status,
    'unknown',
    `The orchestrator answered ${response.status} ${response.statusText}`.trim(),
  )
}

export const isSignedOut = (error: unknown) => error instanceof ApiError && error.status === 401
