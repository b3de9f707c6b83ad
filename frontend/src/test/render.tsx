import { createMemoryHistory, createRootRoute, createRoute, createRouter, RouterProvider } from '@tanstack/react-router'
import { render } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import type { ReactNode } from 'react'
import { vi } from 'vitest'
import { makeClient, Providers } from '../app/providers'
import { parseSearch, stringifySearch } from '../app/search'

export interface Asked {
  key: string
  body: unknown
}
type Answer = { status?: number; json?: unknown; headers?: Record<string, string> }

/** Stands in for the orchestrator: "METHOD /path" (below /api, with its query) to answers. Returns what was asked. */
export function answering(routes: Record<string, (asked: Asked) => Answer>): Asked[] {
  const all: Asked[] = []
  vi.stubGlobal(
    'fetch',
    vi.fn(async (url: string, init: RequestInit = {}) => {
      const asked = {
        key: `${init.method ?? 'GET'} ${url.replace(/^\/api/, '')}`,
        body: init.body ? JSON.parse(String(init.body)) : undefined,
      }
      all.push(asked)
      const answer = routes[asked.key]?.(asked)
      if (!answer) throw new Error(`nothing answers ${asked.key}`)
      const body = answer.status === 204 ? null : JSON.stringify(answer.json ?? {})
      return new Response(body, {
        status: answer.status ?? 200,
        headers: { 'content-type': 'application/json', ...answer.headers },
      })
    }),
  )
  return all
}

/** Renders below all providers and a router that knows every path. */
export function show(ui: ReactNode, { at = '/' }: { at?: string } = {}) {
  const client = makeClient()
  const root = createRootRoute()
  const any = createRoute({ getParentRoute: () => root, path: '$', component: () => ui })
  const index = createRoute({ getParentRoute: () => root, path: '/', component: () => ui })
  const router = createRouter({
    routeTree: root.addChildren([index, any]),
    history: createMemoryHistory({ initialEntries: [at] }),
    parseSearch,
    stringifySearch,
  })
  return {
    user: userEvent.setup(),
    client,
    router,
    ...render(
      <Providers client={client}>
        <RouterProvider router={router as never} />
      </Providers>,
    ),
  }
}
