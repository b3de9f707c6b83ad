import { expect, it } from 'vitest'
import { aRequest } from '../../test/requests'
import { neighbours } from './neighbours'

const [c, b, a] = ['c', 'b', 'a'].map((id) => aRequest({ id })) as [
  ReturnType<typeof aRequest>,
  ReturnType<typeof aRequest>,
  ReturnType<typeof aRequest>,
]

it('finds the row above and the row below', () => {
  expect(neighbours([c, b, a], b)).toEqual({ before: c, after: a })
  expect(neighbours([c, b, a], c)).toEqual({ before: undefined, after: b })
})

it('passes over another request with the same id', () => {
  const twin = aRequest({ id: 'b', time: 5 })
  expect(neighbours([c, b, twin, a], b).after).toBe(a)
})

it('finds nothing for a row that is not in the list', () => {
  expect(neighbours([c, a], b)).toEqual({ before: undefined, after: undefined })
})
