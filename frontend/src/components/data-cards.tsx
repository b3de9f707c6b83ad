import { Group, Paper } from '@mantine/core'
import { flexRender, type Row } from '@tanstack/react-table'
import { memo } from 'react'
import type { AnyRow, Columns, Features } from './data-table'

/** The rows of a table one below the other, for phones. */
export const Cards = <T extends object>({
  label,
  rows,
  columns,
}: {
  label: string
  rows: Row<Features, T>[]
  columns: Columns<T>
}) => (
  <ul aria-label={label} style={{ listStyle: 'none', margin: 0, padding: 8, display: 'grid', gap: 8 }}>
    {rows.map((row) => (
      <Card key={row.id} row={row as unknown as AnyRow} original={row.original} columns={columns} />
    ))}
  </ul>
)

interface CardProps {
  row: AnyRow
  original: object
  columns: unknown
}

const Card = memo(
  ({ row }: CardProps) => {
    const cells = row.getAllCells()
    const name = cells.find((cell) => cell.column.id === 'name')
    const menu = cells.find((cell) => cell.column.id === 'menu')
    return (
      <Paper component="li" withBorder p="sm" miw={0}>
        <Group justify="space-between" wrap="nowrap" align="flex-start" mb={6}>
          <div style={{ minWidth: 0, overflowWrap: 'anywhere' }}>{name && shown(name)}</div>
          {menu && shown(menu)}
        </Group>
        <dl style={FACTS}>
          {cells
            .filter((cell) => cell !== name && cell !== menu)
            .map((cell) => (
              <Pair key={cell.id} cell={cell} />
            ))}
        </dl>
      </Paper>
    )
  },
  (before, after) => before.original === after.original && before.columns === after.columns,
)

const FACTS = {
  margin: 0,
  display: 'grid',
  gridTemplateColumns: 'minmax(80px, auto) minmax(0, 1fr)',
  gap: '4px 12px',
  alignItems: 'center',
} as const

type Cell = ReturnType<AnyRow['getAllCells']>[number]

const shown = (cell: Cell) => flexRender(cell.column.columnDef.cell, cell.getContext())

function Pair({ cell }: { cell: Cell }) {
  const header = cell.column.columnDef.header
  return (
    <>
      <dt style={{ fontSize: 12, color: 'var(--mantine-color-dimmed)' }}>
        {typeof header === 'string' ? header : cell.column.id}
      </dt>
      <dd style={{ margin: 0, minWidth: 0, overflowWrap: 'anywhere' }}>{shown(cell)}</dd>
    </>
  )
}
