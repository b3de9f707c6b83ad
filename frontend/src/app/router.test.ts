import { expect, it } from 'vitest'
import { STATUSES } from '../components/status'
import { router, STATUS_FILTERS } from './router'

const searchOf = (path: string, search: Record<string, string>) => router.matchRoutes(path, search).at(-1)?.search

it.each([
  ['/', 'range', '7d', '1h'],
  ['/requests', 'view', 'xyz', 'inflight'],
  ['/requests', 'result', 'bogus', 'failed'],
  ['/requests', 'dialect', 'bogus', 'openai'],
  ['/servers', 'status', 'bogus', 'down'],
  ['/servers/a', 'tab', 'bogus', 'health'],
  ['/breakers', 'state', 'bogus', 'half-open'],
])('%s takes no %s that there is not: %s', (path, name, wrong, right) => {
  expect(searchOf(path, { [name]: wrong, q: 'a' })).toMatchObject({ [name]: undefined })
  expect(searchOf(path, { [name]: right })).toMatchObject({ [name]: right })
})

it('shows loaded models only where that is asked for', () => {
  expect(searchOf('/models', { loaded: 'maybe' })).toMatchObject({ loaded: undefined })
  expect(searchOf('/models', { loaded: 'true' })).toMatchObject({ loaded: true })
})

it('filters by every status that a server can have', () => {
  expect([...STATUS_FILTERS].sort()).toEqual(['trouble', ...Object.keys(STATUSES)].sort())
})
