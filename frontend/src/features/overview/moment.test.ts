import { expect, it } from 'vitest'
import { momentOf } from './moment'

it('tells the date only of another day', () => {
  const now = new Date(2026, 0, 2, 12, 0, 0)
  expect(momentOf(new Date(2026, 0, 2, 9, 5, 7).getTime() / 1000, now)).toBe('09:05:07')
  expect(momentOf(new Date(2026, 0, 1, 23, 59, 0).getTime() / 1000, now)).toBe('1 Jan 23:59:00')
})
