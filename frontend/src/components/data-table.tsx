import { Group, Paper, Table, UnstyledButton } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import {
  type ColumnDef,
  columnFilteringFeature,
  createColumnHelper,
  createFilteredRowModel,
  createSortedRowModel,
  filterFns,
  globalFilteringFeature,
  type Row,
  rowSortingFeature,
  sortFns,
  tableFeatures,
  useTable,
} from '@tanstack/react-table'
import { ArrowDown, ArrowUp, ChevronsUpDown } from 'lucide-react'
import type { ReactNode } from 'react'

export const features = tableFeatures({
  rowSortingFeature,
  columnFilteringFeature,
  globalFilteringFeature,
  sortedRowModel: createSortedRowModel(),
  filteredRowModel: createFilteredRowModel(),
  sortFns: { basic: sortFns.basic, alphanumeric: sortFns.alphanumeric, text: sortFns.text },
  filterFns: { includesString: filterFns.includesString },
})
export const columnsFor = <T extends object>() => createColumnHelper<typeof features, T>()

// biome-ignore lint/suspicious/noExplicitAny: the types of values differ by column
type Columns<T extends object> = readonly ColumnDef<typeof features, T, any>[]

interface Props<T extends object> {
  columns: Columns<T>
  data: T[]
  label: string
  rowId: (row: T) => string
  /** Text that a row must hold in any of its columns. */
  filter?: string
  minWidth?: number
  /** Shown where the filter leaves nothing. */
  nothing?: ReactNode
  initialSort?: { id: string; desc: boolean }
}

/**
 * A sortable table in a box that scrolls by itself. On phones each row is a card: the columns `name` and `menu` make its
 * head, the others follow with their headers before them.
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
}: Props<T>) {
  const narrow = useMediaQuery('(max-width: 40em)', false, { getInitialValueInEffect: false })
  const table = useTable({
    features,
    columns: columns as ColumnDef<typeof features, T, unknown>[],
    data,
    state: { globalFilter: filter },
    initialState: { sorting: initialSort ? [initialSort] : [] },
    globalFilterFn: 'includesString',
    getRowId: rowId,
  })
  const rows = table.getRowModel().rows
  if (rows.length === 0 && nothing) return nothing
  if (narrow)
    return (
      <ul aria-label={label} style={{ listStyle: 'none', margin: 0, padding: 8, display: 'grid', gap: 8 }}>
        {rows.map((row) => (
          <Card key={row.id} row={row} render={(cell) => <table.FlexRender cell={cell} />} />
        ))}
      </ul>
    )
  return (
    <Table.ScrollContainer
      minWidth={minWidth}
      type="native"
      tabIndex={0}
      role="region"
      aria-label={label}
      pos="relative"
    >
      <Table highlightOnHover aria-label={label}>
        <Table.Thead>
          {table.getHeaderGroups().map((group) => (
            <Table.Tr key={group.id}>
              {group.headers.map((header) => {
                const sorted = header.column.getIsSorted()
                const content = <table.FlexRender header={header} />
                return (
                  <Table.Th
                    key={header.id}
                    aria-sort={sorted === 'asc' ? 'ascending' : sorted === 'desc' ? 'descending' : undefined}
                  >
                    {header.column.getCanSort() ? (
                      <UnstyledButton fz="xs" fw={600} c="dimmed" onClick={header.column.getToggleSortingHandler()}>
                        <Group gap={4} wrap="nowrap">
                          {content}
                          {sorted === 'asc' ? (
                            <ArrowUp size={12} />
                          ) : sorted === 'desc' ? (
                            <ArrowDown size={12} />
                          ) : (
                            <ChevronsUpDown size={12} opacity={0.5} />
                          )}
                        </Group>
                      </UnstyledButton>
                    ) : (
                      <Group gap={4} fz="xs" c="dimmed">
                        {content}
                      </Group>
                    )}
                  </Table.Th>
                )
              })}
            </Table.Tr>
          ))}
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row) => (
            <Table.Tr key={row.id}>
              {row.getAllCells().map((cell) => (
                <Table.Td key={cell.id}>
                  <table.FlexRender cell={cell} />
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}

type Cell<T extends object> = ReturnType<Row<typeof features, T>['getAllCells']>[number]

function Card<T extends object>({
  row,
  render,
}: {
  row: Row<typeof features, T>
  render: (cell: Cell<T>) => ReactNode
}) {
  const cells = row.getAllCells()
  const of = (id: string) => cells.find((cell) => cell.column.id === id)
  const name = of('name')
  const menu = of('menu')
  return (
    <Paper component="li" withBorder p="sm">
      <Group justify="space-between" wrap="nowrap" align="flex-start" mb={6}>
        <div style={{ minWidth: 0, overflowWrap: 'anywhere' }}>{name && render(name)}</div>
        {menu && render(menu)}
      </Group>
      <dl
        style={{
          margin: 0,
          display: 'grid',
          gridTemplateColumns: 'minmax(80px, auto) 1fr',
          gap: '4px 12px',
          alignItems: 'center',
        }}
      >
        {cells
          .filter((cell) => cell !== name && cell !== menu)
          .map((cell) => (
            <Pair key={cell.id} term={headerText(cell)}>
              {render(cell)}
            </Pair>
          ))}
      </dl>
    </Paper>
  )
}

function Pair({ term, children }: { term: string; children: ReactNode }) {
  return (
    <>
      <dt style={{ fontSize: 12, color: 'var(--mantine-color-dimmed)' }}>{term}</dt>
      <dd style={{ margin: 0, minWidth: 0, overflowWrap: 'anywhere' }}>{children}</dd>
    </>
  )
}

const headerText = <T extends object>(cell: Cell<T>) => {
  const header = cell.column.columnDef.header
  return typeof header === 'string' ? header : cell.column.id
}
