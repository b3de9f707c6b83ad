import { Table } from '@mantine/core'
import { DASH } from '../lib/format'
import type { ChartProps } from './chart'
import { timeOfDay } from './chart-time'

const MOST = 120

/** The newest values of a chart, newest first. */
export function ChartTable({ times, series, tell, height = 150, title }: ChartProps) {
  const rows = times
    .map((time, at) => ({ time, at }))
    .slice(-MOST)
    .reverse()
  return (
    <Table.ScrollContainer
      minWidth={200}
      maxHeight={height}
      tabIndex={0}
      role="region"
      aria-label={`${title}, table`}
      type="native"
      pos="relative"
    >
      <Table fz="xs" verticalSpacing={2} stickyHeader>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Time</Table.Th>
            {series.map((one) => (
              <Table.Th key={one.label}>{one.label}</Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map(({ time, at }) => (
            <Table.Tr key={time}>
              <Table.Td className="num">{timeOfDay(time, true)}</Table.Td>
              {series.map((one) => (
                <Table.Td key={one.label} className="num">
                  {one.values[at] == null ? DASH : tell(one.values[at])}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}
