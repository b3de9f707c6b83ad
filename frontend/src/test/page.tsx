import { createMemoryHistory, createRootRoute, createRoute, createRouter, RouterProvider } from '@tanstack/react-router'
import { render } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import type { FunctionComponent } from 'react'
import { makeClient, Providers } from '../app/providers'

/** Renders a page at its own route, as `path` of the shell; at: where the browser is. Other paths show nothing. */
export function showPage(path: string, component: FunctionComponent, at: string) {
  const client = makeClient()
  const root = createRootRoute()
  const shell = createRoute({ getParentRoute: () => root, id: 'shell' })
  const page = createRoute({ getParentRoute: () => shell, path, component })
  const other = createRoute({ getParentRoute: () => root, path: '$', component: () => null })
  const router = createRouter({
    routeTree: root.addChildren([shell.addChildren([page]), other]),
    history: createMemoryHistory({ initialEntries: [at] }),
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
