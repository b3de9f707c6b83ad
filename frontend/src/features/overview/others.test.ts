import { expect, it } from 'vitest'
import { aServer } from '../../test/servers'
import { filtered } from '../servers/filters'
import { othersOf, rankOf } from './others'

const fleet = (...statuses: string[]) => statuses.map((status, at) => aServer({ id: `s${at}`, status }))

it.each([
  [['healthy', 'healthy'], 'ok', 'all of them'],
  [['healthy', 'degraded'], 'warn', 'all up, s1 degraded'],
  [['degraded', 'degraded'], 'warn', 'all up, 2 degraded'],
  [['degraded', 'down'], 'warn', 's1 down, s0 degraded'],
  [['degraded', 'disabled'], 'warn', 's1 disabled, s0 degraded'],
  [['healthy', 'down'], 'warn', 's1 down'],
  [['down', 'configError'], 'bad', 's0 down, s1 wrong settings'],
  [['healthy', 'draining', 'disabled'], 'ok', 's1 draining, s2 disabled'],
  [['healthy', 'disabled', 'down', 'unknown', 'warming'], 'warn', 's2 down, s4 warming and 2 more'],
])('of %j the mark is %s and it says: %s', (statuses, tone, text) => {
  expect(othersOf(fleet(...statuses))).toMatchObject({ tone, text })
})

it('names just those that the filter of servers leaves', () => {
  const servers = fleet('healthy', 'degraded', 'down', 'draining', 'disabled', 'unknown', 'warming', 'configError')
  const left = filtered(servers, { status: 'trouble' }).map(({ id }) => id)
  expect(
    othersOf(servers)
      .servers.map(({ id }) => id)
      .sort(),
  ).toEqual(left.sort())
})

it('puts those that need a look before those that are well', () => {
  const sorted = fleet('healthy', 'disabled', 'degraded', 'down').sort((a, b) => rankOf(a) - rankOf(b))
  expect(sorted.map(({ status }) => status)).toEqual(['down', 'degraded', 'disabled', 'healthy'])
})
