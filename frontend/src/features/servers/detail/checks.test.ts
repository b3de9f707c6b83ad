import { describe, expect, it } from 'vitest'
import type { CheckAnswer } from '../../../api/types'
import { answered, changes } from './checks'

const check = (time: number, seconds: number | null, status = seconds === null ? 'down' : 'healthy'): CheckAnswer => ({
  time,
  status,
  reason: '',
  seconds,
})

describe('how many checks were answered', () => {
  it('is told with median and slowest answer', () => {
    expect(answered([check(1, 0.3), check(2, null), check(3, 0.1), check(4, 0.2)])).toMatchObject({
      answered: 3,
      percent: '75.0 %',
      median: 0.2,
      slowest: 0.3,
    })
  })
  it('is 100 % only when all were', () => {
    const many = Array.from({ length: 5000 }, (_, at) => check(at, 0.1))
    expect(answered(many).percent).toBe('100 %')
    expect(answered([...many, check(5000, null)]).percent).toBe('99.9 %')
    expect(answered([check(1, null)])).toMatchObject({ percent: '0 %', median: null, slowest: null })
  })
  it('is of those that asked anything', () => {
    const checks = [check(1, 0.1), check(2, null, 'configError')]
    expect(answered(checks)).toMatchObject({ asked: 1, answered: 1, percent: '100 %', lastFailed: null })
    expect(answered(checks.slice(1))).toMatchObject({ asked: 0, percent: '–' })
  })
  it('tells when the last one failed, if any did', () => {
    expect(answered([check(1, 0.1)]).lastFailed).toBeNull()
    expect(answered([check(1, null), check(2, 0.1)]).lastFailed).toMatch(/^\d\d:\d\d:\d\d$/)
  })
})

it('changes are those checks that say something else than the one before, newest first', () => {
  const checks = [check(1, 0.1), check(2, 0.9), check(3, null), check(4, null), check(5, 0.1)]
  expect(changes(checks).map(({ time }) => time)).toEqual([5, 3, 1])
})
