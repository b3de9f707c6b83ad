import { Group, Paper } from '@mantine/core'
import { flexRender, type Row } from '@tanstack/react-table'
import { memo } from 'react'
import styles from './data-cards.module.css'
import type { AnyRow, Columns, Features } from './data-table'

/** The rows of a table as cards, for phones and narrow windows. */
export const Cards = <T extends object>({
  label,
  rows,
  columns,
}: {
  label: string
  rows: Row<Features, T>[]
  columns: Columns<T>
}) => (
  <ul aria-label={label} className={styles.cards}>
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
        <dl className={styles.facts}>
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

type Cell = ReturnType<AnyRow['getAllCells']>[number]

const shown = (cell: Cell) => flexRender(cell.column.columnDef.cell, cell.getContext())

function Pair({ cell }: { cell: Cell }) {
  const header = cell.column.columnDef.header
  return (
    <>
      <dt>{typeof header === 'string' ? header : cell.column.id}</dt>
      <dd>{shown(cell)}</dd>
    </>
  )
}
