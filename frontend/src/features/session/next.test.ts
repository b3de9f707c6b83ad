import { expect, it } from 'vitest'
import { nextOf } from './next'

it.each(['/', '/servers?status=down', '/requests?q=a//b#x', '/servers/attic', '/sign-in-like'])(
  'goes on to %s',
  (page) => expect(nextOf(page)).toBe(page),
)

it.each([
  undefined,
  '',
  'servers',
  '//evil.example',
  '/\\evil.example',
  '\\/evil.example',
  'https://evil.example',
  'javascript:alert(1)',
  '/\t/evil.example',
  '/\n/evil.example',
  '/sign-in',
  '/sign-in?next=%2Fservers',
])('goes to the overview rather than to %j', (asked) => expect(nextOf(asked)).toBe('/'))
