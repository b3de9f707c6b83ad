import { Box } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { useVirtualizer } from '@tanstack/react-virtual'
import {
  type CSSProperties,
  type MouseEvent,
  memo,
  type ReactNode,
  type RefObject,
  useEffect,
  useMemo,
  useRef,
} from 'react'
import classes from './virtual-table.module.css'

export interface Column<T> {
  header: string
  /** Of the grid, such as `80px` or `minmax(120px, 1fr)`. */
  width: string
  end?: boolean
  /** Left out where room is tight. */
  extra?: boolean
  cell: (row: T) => ReactNode
}

/** How rows look, as a table and, where that has no room, as cards. Must not change with every render. */
export interface Look<T> {
  columns: readonly Column<T>[]
  minWidth: number
  /** Of the window: where rows are cards. A media query. */
  cards: string
  /** Of the window: where there is no room for extra columns. A media query. */
  tight?: string
  card: (row: T) => ReactNode
  cardHeight: number
  /** Text of the button that opens the row, and what it says when pointed at. */
  name?: (row: T) => string
  hint?: (row: T) => string
}

interface Props<T> {
  label: string
  look: Look<T>
  rows: readonly T[]
  rowKey: (row: T) => string
  onOpen?: ((row: T) => void) | undefined
  /** Key of a row to keep in sight. */
  shown?: string | undefined
  /** Told when somebody reads: has scrolled down, or is among the rows with the keyboard or the mouse. */
  onReading?: ((reading: boolean) => void) | undefined
  box?: RefObject<HTMLDivElement | null>
  className?: string | undefined
  /** Of a box that is otherwise as high as its rows. */
  maxHeight?: string
}

const ROW = 30
const HEAD = 32
/** Margins of the cards, and borders of the box. */
const AROUND_CARDS = 18

/** Renders only the rows that are in sight. A real table with the layout of a grid; a list of cards where that has no room. */
export function VirtualTable<T>({
  label,
  look: whole,
  rows,
  rowKey,
  onOpen,
  shown,
  onReading,
  box,
  className,
  maxHeight,
}: Props<T>) {
  const look = useFitting(whole)
  const narrow = useMediaQuery(look.cards, false, { getInitialValueInEffect: false })
  const own = useRef<HTMLDivElement>(null)
  const ref = box ?? own
  const rowHeight = narrow ? look.cardHeight : ROW
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => ref.current,
    estimateSize: () => rowHeight,
    getItemKey: (at) => (rows[at] === undefined ? at : rowKey(rows[at])),
    overscan: 10,
    useFlushSync: false, // what comes into sight was drawn ahead
    scrollPaddingStart: narrow ? 0 : HEAD,
  })
  // Cards are higher than rows: what was measured of the one does not hold for the other.
  useEffect(() => {
    if (rowHeight) virtual.measure()
  }, [rowHeight, virtual])
  const at = shown === undefined ? -1 : rows.findIndex((row) => rowKey(row) === shown)
  useEffect(() => {
    if (at >= 0) virtual.scrollToIndex(at)
  }, [at, virtual])
  const reading = useReading(onReading)
  useEffect(() => () => onReading?.(false), [onReading])
  const items = virtual.getVirtualItems().flatMap((item) => {
    const row = rows[item.index]
    const key = String(item.key)
    return row === undefined ? [] : [{ row, index: item.index, start: item.start, marker: key, open: key === shown }]
  })
  const size = virtual.getTotalSize()
  const natural = rows.length * rowHeight + (narrow ? AROUND_CARDS : HEAD + 4)
  return (
    <Box
      ref={ref}
      className={`${classes.box} ${className ?? ''}`}
      style={maxHeight === undefined ? undefined : { height: `min(${maxHeight}, ${natural}px)` }}
      tabIndex={0}
      role="region"
      aria-label={label}
      onScroll={reading.onScroll}
    >
      {narrow ? (
        <ul aria-label={label} className={classes.cards} style={{ height: size }} {...reading.rows}>
          {items.map((item) => (
            <Card key={item.index} {...item} look={look as never} onOpen={onOpen as never} />
          ))}
        </ul>
      ) : (
        <table
          className={classes.table}
          style={{ minWidth: look.minWidth }}
          aria-label={label}
          aria-rowcount={rows.length + 1}
        >
          <Head columns={look.columns} />
          <tbody style={{ height: size }} {...reading.rows}>
            {items.map((item) => (
              <Row key={item.index} {...item} look={look as never} onOpen={onOpen as never} />
            ))}
          </tbody>
        </table>
      )}
    </Box>
  )
}

/** Without the extra columns where room is tight. */
function useFitting<T>(look: Look<T>): Look<T> {
  const tight = useMediaQuery(look.tight ?? 'not all', false, { getInitialValueInEffect: false })
  return useMemo(() => (tight ? { ...look, columns: look.columns.filter((one) => !one.extra) } : look), [look, tight])
}

function useReading(tell: ((reading: boolean) => void) | undefined) {
  const where = useRef({ scrolled: false, among: false, over: false })
  const note = (change: Partial<typeof where.current>) => {
    Object.assign(where.current, change)
    tell?.(Object.values(where.current).some(Boolean))
  }
  return {
    onScroll: (event: { currentTarget: HTMLElement }) => note({ scrolled: event.currentTarget.scrollTop > ROW / 2 }),
    rows: {
      // A finger is over the rows only while it scrolls or taps.
      onPointerEnter: (event: { pointerType: string }) => note({ over: event.pointerType === 'mouse' }),
      onPointerLeave: () => note({ over: false }),
      onFocus: () => note({ among: true }),
      onBlur: (event: { currentTarget: HTMLElement; relatedTarget: EventTarget | null }) =>
        note({ among: event.relatedTarget instanceof Node && event.currentTarget.contains(event.relatedTarget) }),
    },
  }
}

const widthsOf = (columns: readonly { width: string }[]): CSSProperties => ({
  gridTemplateColumns: columns.map((one) => one.width).join(' '),
})

const Head = memo(function Head({ columns }: { columns: readonly { header: string; width: string; end?: boolean }[] }) {
  return (
    <thead>
      <tr style={widthsOf(columns)} aria-rowindex={1}>
        {columns.map((column) => (
          <th key={column.header} scope="col" data-end={column.end || undefined}>
            {column.header}
          </th>
        ))}
      </tr>
    </thead>
  )
})

interface RowProps {
  row: unknown
  index: number
  start: number
  marker: string
  open: boolean
  look: Look<unknown>
  onOpen: ((row: unknown) => void) | undefined
}

const Row = memo(function Row({ row, index, start, marker, open, look, onOpen }: RowProps) {
  return (
    <tr
      style={{ ...widthsOf(look.columns), transform: `translateY(${start}px)` }}
      aria-rowindex={index + 2}
      data-open={open || undefined}
      data-can-open={onOpen !== undefined || undefined}
      onClick={onOpen && ((event) => opened(event) && onOpen(row))}
    >
      {look.columns.map((column, at) => (
        <td key={column.header} data-end={column.end || undefined}>
          {at === 0 && onOpen ? (
            <Opener row={row} marker={marker} look={look}>
              {column.cell(row)}
            </Opener>
          ) : (
            column.cell(row)
          )}
        </td>
      ))}
    </tr>
  )
})

const Card = memo(function Card({ row, start, marker, open, look, onOpen }: RowProps) {
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the button within is for the keyboard
    <li
      style={{ height: look.cardHeight - 8, transform: `translateY(${start}px)` }}
      data-open={open || undefined}
      onClick={onOpen && ((event) => opened(event) && onOpen(row))}
    >
      {look.card(row)}
      {onOpen && <Opener row={row} marker={marker} look={look} />}
    </li>
  )
})

function Opener({ row, marker, look, children }: Pick<RowProps, 'row' | 'marker' | 'look'> & { children?: ReactNode }) {
  return (
    <button
      type="button"
      className={classes.opener}
      data-row={marker}
      aria-label={look.name?.(row)}
      title={look.hint?.(row)}
    >
      {children}
    </button>
  )
}

/** Not when the click ended a selection of text, or was for something within that can be clicked by itself. */
function opened(event: MouseEvent<HTMLElement>): boolean {
  const inner = (event.target as Element).closest('a, button')
  if (inner && !inner.hasAttribute('data-row')) return false
  return !window.getSelection()?.toString()
}

/** To the row after its details were closed; to `otherwise` where it is out of sight. */
export function focusRow(marker: string | undefined, otherwise: HTMLElement | null) {
  const button = marker === undefined ? null : document.querySelector<HTMLElement>(`[data-row="${CSS.escape(marker)}"]`)
  ;(button ?? otherwise)?.focus({ preventScroll: true })
}
