import { screen, within } from '@testing-library/react'
import { expect, it } from 'vitest'
import { show } from '../test/render'
import { Chart } from './chart'
import { isNear, lonelyIn, trimmed } from './chart-canvas'

const series = [
  { label: 'p50', color: '--c1', values: [0.1, null, 0.3] },
  { label: 'p95', color: '--c2', values: [0.5, 0.6, null] },
]
const chart = <Chart title="Time to first token" times={[1, 2, 3]} series={series} tell={(value) => `${value} s`} />

it('sums up the latest values in words for whoever cannot see the drawing', async () => {
  show(chart)
  expect(await screen.findByText('Latest: p50 0.3 s, p95 –')).toBeInTheDocument()
})

it('shows its values as a table, newest first, unknown ones as a dash', async () => {
  const { user } = show(chart)
  await user.click(await screen.findByRole('button', { name: 'Time to first token as a table' }))
  const region = screen.getByRole('region', { name: 'Time to first token, table' })
  expect(region).toHaveAttribute('tabindex', '0')
  const rows = within(region).getAllByRole('row').slice(1)
  expect(
    rows.map((row) =>
      within(row)
        .getAllByRole('cell')
        .map((cell) => cell.textContent)
        .slice(1),
    ),
  ).toEqual([
    ['0.3 s', '–'],
    ['–', '0.6 s'],
    ['0.1 s', '0.5 s'],
  ])
})

it('says that there are no data', async () => {
  show(<Chart title="Empty" times={[]} series={[]} tell={String} />)
  expect(await screen.findByText('Latest: no data')).toBeInTheDocument()
})

it.each([
  ['2.50/s', '2.5/s'],
  ['20.0/s', '20/s'],
  ['1.00 s', '1 s'],
  ['100/s', '100/s'],
  ['1,000', '1,000'],
  ['0.05/s', '0.05/s'],
  ['50 ms', '50 ms'],
  ['1 m 0 s', '1 m 0 s'],
])('marks the axis with %s as %s', (text, mark) => expect(trimmed(text)).toBe(mark))

it('finds values without neighbours, which make no line', () => {
  expect(lonelyIn([1, null, 2, 3, null, 0])).toEqual([0, 5])
  expect(lonelyIn([null, 1, 2])).toEqual([])
  expect(lonelyIn([])).toEqual([])
})

it('reads no value off where there are no data', () => {
  const times = [1000, 1010, 1020, 3000, 5000]
  const values = [[1, 2, 3, null, 4]]
  expect(isNear(times, values, 0, 995)).toBe(true)
  expect(isNear(times, values, 0, 10)).toBe(false)
  expect(isNear(times, values, 1, 1014)).toBe(true)
  expect(isNear(times, values, 2, 1900)).toBe(false)
  expect(isNear([1000], [[1]], 0, 900)).toBe(false)
})
