import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router'
import { queries } from '../api/queries'
import { Broken, Missing } from './fallbacks'
import { queryClient } from './providers'
import { flag, oneOf, parseSearch, searching, stringifySearch, text } from './search'
import { Shell } from './shell'

export const REQUEST_VIEWS = ['log', 'inflight'] as const
export const FAILURES = [
  'clientError',
  'rateLimited',
  'serverError',
  'timeout',
  'truncated',
  'clientGone',
  'cancelled',
] as const
export const RESULTS = ['ok', 'error', 'failed', ...FAILURES] as const
export const SERVER_TABS = ['models', 'health', 'breakers', 'requests', 'configuration'] as const

/** `trouble`: any that is not up. */
export const STATUS_FILTERS = [
  'trouble',
  'healthy',
  'degraded',
  'down',
  'draining',
  'disabled',
  'warming',
  'configError',
  'rateLimited',
  'unknown',
] as const

const root = createRootRoute({ component: Outlet, notFoundComponent: Missing })

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: searching({ next: text }),
  component: lazyRouteComponent(() => import('../features/session/sign-in'), 'SignIn'),
})

const shell = createRoute({
  getParentRoute: () => root,
  id: 'shell',
  component: Shell,
  errorComponent: Broken,
  beforeLoad: async ({ location }) => {
    const session = await queryClient.ensureQueryData(queries.session())
    if (!session.signedIn) throw redirect({ to: '/sign-in', search: { next: location.href } })
  },
})

const overview = createRoute({
  getParentRoute: () => shell,
  path: '/',
  validateSearch: searching({ range: oneOf('15m', '1h', '6h', '24h') }),
  component: lazyRouteComponent(() => import('../features/overview/overview'), 'Overview'),
})
const servers = createRoute({
  getParentRoute: () => shell,
  path: '/servers',
  validateSearch: searching({
    q: text,
    status: oneOf<string>(...STATUS_FILTERS),
    tag: text,
    add: flag,
  }),
  component: lazyRouteComponent(() => import('../features/servers/servers'), 'Servers'),
})
const server = createRoute({
  getParentRoute: () => shell,
  path: '/servers/$id',
  validateSearch: searching({ tab: oneOf(...SERVER_TABS), q: text }),
  component: lazyRouteComponent(() => import('../features/servers/server'), 'ServerPage'),
})
const models = createRoute({
  getParentRoute: () => shell,
  path: '/models',
  validateSearch: searching({
    q: text,
    server: text,
    loaded: flag,
    model: text,
  }),
  component: lazyRouteComponent(() => import('../features/models/models'), 'Models'),
})
const breakers = createRoute({
  getParentRoute: () => shell,
  path: '/breakers',
  validateSearch: searching({
    q: text,
    state: oneOf('open', 'half-open', 'closed'),
    server: text,
  }),
  component: lazyRouteComponent(() => import('../features/breakers/breakers'), 'Breakers'),
})
const requests = createRoute({
  getParentRoute: () => shell,
  path: '/requests',
  validateSearch: searching({
    view: oneOf(...REQUEST_VIEWS),
    q: text,
    result: oneOf(...RESULTS),
    server: text,
    model: text,
    dialect: oneOf('ollama', 'openai', 'anthropic'),
    slower: text,
    id: text,
  }),
  component: lazyRouteComponent(() => import('../features/requests/requests'), 'Requests'),
})
const playground = createRoute({
  getParentRoute: () => shell,
  path: '/playground',
  validateSearch: searching({ model: text, with: text, style: oneOf('ollama', 'openai'), server: text }),
  component: lazyRouteComponent(() => import('../features/playground/playground'), 'Playground'),
})
const about = createRoute({
  getParentRoute: () => shell,
  path: '/about',
  component: lazyRouteComponent(() => import('../features/about/about'), 'About'),
})

/** Says whether the scroll position is to change: not where a filter or a drawer only changed the search. */
function isAnotherPage() {
  let shown = ''
  return ({ location }: { location: { pathname: string } }) => {
    const another = location.pathname !== shown
    shown = location.pathname
    return another
  }
}

export const router = createRouter({
  routeTree: root.addChildren([
    signIn,
    shell.addChildren([overview, servers, server, models, breakers, requests, playground, about]),
  ]),
  basepath: '/ui',
  parseSearch,
  stringifySearch,
  scrollRestoration: isAnotherPage(),
  defaultPreload: 'intent',
  defaultErrorComponent: Broken,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
