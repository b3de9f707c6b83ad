import { Button, Group, Table, UnstyledButton } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import {
  type ColumnDef,
  columnFilteringFeature,
  createColumnHelper,
  createFilteredRowModel,
  createSortedRowModel,
  filterFns,
  flexRender,
  globalFilteringFeature,
  type Header,
  type Row,
  rowSortingFeature,
  sortFns,
  tableFeatures,
  useTable,
} from '@tanstack/react-table'
import { ArrowDown, ArrowUp, ChevronsUpDown } from 'lucide-react'
import { memo, type ReactNode, useState } from 'react'
import { Cards } from './data-cards'
import styles from './data-table.module.css'

export const features = tableFeatures({
  rowSortingFeature,
  columnFilteringFeature,
  globalFilteringFeature,
  sortedRowModel: createSortedRowModel(),
  filteredRowModel: createFilteredRowModel(),
  sortFns: { basic: sortFns.basic, alphanumeric: sortFns.alphanumeric, text: sortFns.text },
  filterFns: { includesString: filterFns.includesString },
})
export type Features = typeof features
export const columnsFor = <T extends object>() => createColumnHelper<Features, T>()

// biome-ignore lint/suspicious/noExplicitAny: the types of values differ by column
export type Columns<T extends object> = readonly ColumnDef<Features, T, any>[]

interface Props<T extends object> {
  /** Must stay the same object from render to render: rows are drawn anew where it changes. */
  columns: Columns<T>
  /** A row is drawn anew when it is another object. */
  data: T[]
  label: string
  rowId: (row: T) => string
  /** Text that a row must hold in any of its columns. */
  filter?: string
  minWidth?: number
  /** Shown where nothing is left. */
  nothing?: ReactNode
  initialSort?: { id: string; desc: boolean }
  /** Narrower windows show cards. */
  cardsBelow?: string
  /** Rows that are drawn at first; a button shows the others. */
  most?: number
}

/**
 * A sortable table in a box that scrolls by itself. Where it is narrow each row is a card: the columns `name` and `menu`
 * make its head, the others follow with their headers before them.
 */
export function DataTable<T extends object>({
  columns,
  data,
  label,
  rowId,
  filter = '',
  minWidth = 720,
  nothing,
  initialSort,
  cardsBelow = '40.01em',
  most = Number.POSITIVE_INFINITY,
}: Props<T>) {
  const [all, setAll] = useState(false)
  const narrow = useMediaQuery(`(width < ${cardsBelow})`, false, { getInitialValueInEffect: false })
  const table = useTable({
    features,
    columns: columns as ColumnDef<Features, T, unknown>[],
    data,
    state: { globalFilter: filter },
    initialState: { sorting: initialSort ? [initialSort] : [] },
    globalFilterFn: 'includesString',
    getRowId: rowId,
  })
  const found = table.getRowModel().rows
  if (found.length === 0 && nothing) return nothing
  const rows = all ? found : found.slice(0, most)
  const more = rows.length < found.length && (
    <Button m="xs" size="compact-sm" variant="default" onClick={() => setAll(true)}>
      Show all {found.length.toLocaleString('en')}
    </Button>
  )
  if (narrow)
    return (
      <>
        <Cards label={label} rows={rows} columns={columns} />
        {more}
      </>
    )
  return (
    <>
      <Table.ScrollContainer
        minWidth={minWidth}
        type="native"
        tabIndex={0}
        role="region"
        aria-label={label}
        pos="relative"
      >
        <Table aria-label={label}>
          <Table.Thead>
            {table.getHeaderGroups().map((group) => (
              <Table.Tr key={group.id}>
                {group.headers.map((header) => (
                  <Head key={header.id} header={header} />
                ))}
              </Table.Tr>
            ))}
          </Table.Thead>
          <Table.Tbody className={styles.body}>
            {rows.map((row) => (
              <Line key={row.id} row={row as unknown as AnyRow} original={row.original} columns={columns} />
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {more}
    </>
  )
}

const ARIA = { asc: 'ascending', desc: 'descending' } as const

function Head<T extends object>({ header }: { header: Header<Features, T> }) {
  const sorted = header.column.getIsSorted()
  const content = flexRender(header.column.columnDef.header, header.getContext())
  if (!header.column.getCanSort())
    return (
      <Table.Th scope="col" fz="xs" fw={600} c="dimmed" style={{ whiteSpace: 'nowrap' }}>
        {content}
      </Table.Th>
    )
  const Arrow = sorted === 'asc' ? ArrowUp : sorted === 'desc' ? ArrowDown : ChevronsUpDown
  return (
    <Table.Th scope="col" py={3} aria-sort={sorted ? ARIA[sorted] : undefined}>
      <UnstyledButton
        fz="xs"
        fw={600}
        c="dimmed"
        mih={24}
        style={{ whiteSpace: 'nowrap' }}
        onClick={header.column.getToggleSortingHandler()}
      >
        <Group gap={4} wrap="nowrap" component="span">
          {content}
          <Arrow size={12} opacity={sorted ? 1 : 0.5} aria-hidden="true" />
        </Group>
      </UnstyledButton>
    </Table.Th>
  )
}

// What a memoised component is told of its row, whatever the row holds.
export type AnyRow = Row<Features, object>

interface LineProps {
  row: AnyRow
  original: object
  columns: unknown
}

// Plain elements: a table holds thousands of them.
const Line = memo(
  ({ row }: LineProps) => (
    <tr>
      {row.getAllCells().map((cell) => (
        <td key={cell.id}>{flexRender(cell.column.columnDef.cell, cell.getContext())}</td>
      ))}
    </tr>
  ),
  isSame,
)

/** The table makes all rows anew whenever one of them changes; what they show changes with `original` alone. */
export function isSame(before: LineProps, after: LineProps): boolean {
  return before.original === after.original && before.columns === after.columns
}
