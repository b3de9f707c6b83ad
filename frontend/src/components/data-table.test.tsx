import { screen, within } from '@testing-library/react'
import { useState } from 'react'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { show } from '../test/render'
import { columnsFor, DataTable } from './data-table'

interface Row {
  id: string
  size: number | null
}

const ROWS: Row[] = [
  { id: 'b', size: 2 },
  { id: 'a', size: null },
  { id: 'c', size: 10 },
]
const column = columnsFor<Row>()
const drawn = vi.fn()
const columns = column.columns([
  column.accessor('id', {
    id: 'name',
    header: 'Name',
    cell: ({ row: { original } }) => {
      drawn(original.id)
      return original.id
    },
  }),
  column.accessor((row) => row.size ?? undefined, {
    id: 'size',
    header: 'Size',
    sortUndefined: 'last',
    cell: ({ row }) => row.original.size,
  }),
  column.display({
    id: 'menu',
    header: 'Actions',
    cell: ({ row }) => <button type="button">do {row.original.id}</button>,
  }),
])
const table = (some: Partial<Parameters<typeof DataTable<Row>>[0]> = {}) => (
  <DataTable columns={columns} data={ROWS} label="Things" rowId={(row) => row.id} {...some} />
)
const names = () =>
  screen
    .getAllByRole('row')
    .slice(1)
    .map((row) => within(row).getAllByRole('cell')[0]?.textContent)

const real = window.matchMedia
afterEach(() => {
  window.matchMedia = real
})

describe('a table', () => {
  it('sorts by its headers, which are buttons, and says so', async () => {
    const { user } = show(table())
    expect(await screen.findByRole('table', { name: 'Things' })).toBeInTheDocument()
    expect(names()).toEqual(['b', 'a', 'c'])
    const size = screen.getByRole('columnheader', { name: 'Size' })
    await user.click(within(size).getByRole('button', { name: 'Size' }))
    expect([names(), size.getAttribute('aria-sort')]).toEqual([['c', 'b', 'a'], 'descending'])
    await user.click(within(size).getByRole('button', { name: 'Size' }))
    expect([names(), size.getAttribute('aria-sort')]).toEqual([['b', 'c', 'a'], 'ascending'])
    expect(within(screen.getByRole('columnheader', { name: 'Actions' })).queryByRole('button')).toBeNull()
  })
  it('begins in the order that it is told', async () => {
    show(table({ initialSort: { id: 'name', desc: false } }))
    await screen.findByRole('table')
    expect(names()).toEqual(['a', 'b', 'c'])
  })
  it('keeps the rows that hold the text of the filter', async () => {
    show(table({ filter: 'A' }))
    await screen.findByRole('table')
    expect(names()).toEqual(['a'])
  })
  it('says what to say when nothing is left', async () => {
    show(table({ filter: 'zzz', nothing: <p>No thing matches</p> }))
    expect(await screen.findByText('No thing matches')).toBeInTheDocument()
    expect(screen.queryByRole('table')).toBeNull()
  })
  it('can be scrolled by keyboard and has a name', async () => {
    show(table())
    expect(await screen.findByRole('region', { name: 'Things' })).toHaveAttribute('tabindex', '0')
  })
  it('draws no more than the most at first, sorted over all, and the others when asked for', async () => {
    const { user } = show(table({ most: 2, initialSort: { id: 'name', desc: false } }))
    await screen.findByRole('table')
    expect(names()).toEqual(['a', 'b'])
    await user.click(screen.getByRole('button', { name: 'Show all 3' }))
    expect(names()).toEqual(['a', 'b', 'c'])
    expect(screen.queryByRole('button', { name: /Show all/ })).toBeNull()
  })
  it('draws only the rows that are other objects than before', async () => {
    function Changing() {
      const [rows, setRows] = useState(ROWS)
      return (
        <>
          <button
            type="button"
            onClick={() => setRows(rows.map((row) => (row.id === 'a' ? { ...row, size: 7 } : row)))}
          >
            change
          </button>
          {table({ data: rows })}
        </>
      )
    }
    const { user } = show(<Changing />)
    await screen.findByRole('table')
    drawn.mockClear()
    await user.click(screen.getByRole('button', { name: 'change' }))
    expect(drawn.mock.calls.flat()).toEqual(['a'])
    expect(screen.getByRole('cell', { name: '7' })).toBeInTheDocument()
  })
})

describe('where the window is narrow', () => {
  it('shows a card for each row, with its name and menu above and the headers beside the rest', async () => {
    window.matchMedia = ((query: string) => ({ ...real(query), matches: query === '(width < 50em)' })) as never
    show(table({ cardsBelow: '50em' }))
    const cards = within(await screen.findByRole('list', { name: 'Things' })).getAllByRole('listitem')
    expect(cards).toHaveLength(3)
    const first = within(cards[0] as HTMLElement)
    expect(first.getByRole('button', { name: 'do b' })).toBeInTheDocument()
    expect([first.getByRole('term').textContent, first.getByRole('definition').textContent]).toEqual(['Size', '2'])
    expect(screen.queryByRole('table')).toBeNull()
  })
})
