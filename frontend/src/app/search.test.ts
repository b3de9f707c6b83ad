import { expect, it } from 'vitest'
import { flag, oneOf, parseSearch, searching, stringifySearch, text } from './search'

const read = searching({ q: text, add: flag, view: oneOf('log', 'inflight') })

it('reads what is known and leaves out what is not', () => {
  expect(read(parseSearch('?q=llama&add=true&view=inflight&evil=1'))).toEqual({
    q: 'llama',
    add: true,
    view: 'inflight',
  })
  expect(read(parseSearch('?q=&add=maybe&view=nothing'))).toEqual({})
})

it.each(['123', '12345678901234567890', '1e5', 'true', 'null', '"quoted"', '{"a":1}', 'a b+c&d=e', 'Größe', '50%'])(
  'keeps the text %s as it was typed',
  (typed) => {
    expect(read(parseSearch(stringifySearch({ q: typed })))).toEqual({ q: typed })
  },
)

it('takes numbers that a link was made with', () => {
  expect(read({ q: 5 })).toEqual({ q: '5' })
})

it('writes no parameter that says nothing', () => {
  expect(stringifySearch({ q: '', view: undefined, server: null })).toBe('')
  expect(stringifySearch({ add: true, q: 'a' })).toBe('?add=true&q=a')
})
