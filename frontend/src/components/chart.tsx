import { Group, Paper, Table, Text, Title, UnstyledButton, useComputedColorScheme, VisuallyHidden } from '@mantine/core'
import { memo, useEffect, useId, useRef, useState } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { DASH } from '../lib/format'

/** color: name of a CSS variable. values: one per time, null where nothing is known. */
export interface Series {
  label: string
  color: string
  values: (number | null)[]
}
interface Props {
  title: string
  /** Unix seconds, rising. */
  times: number[]
  series: Series[]
  /** A value in words, with its unit. */
  tell: (value: number) => string
  fill?: boolean
  height?: number
  /** Charts of one group show the same moment under the cursor. */
  group?: string
  /** Least upper end of the axis. */
  atLeast?: number
}

const css = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()
const STEPS = [1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400]
const timeOfDay = (time: number, withSeconds: boolean) =>
  new Date(time * 1000).toLocaleTimeString('en-GB', {
    hour: '2-digit',
    minute: '2-digit',
    ...(withSeconds && { second: '2-digit' }),
  })

/** A canvas with a legend that tells the values at the cursor, a text summary and a table for whoever cannot see the canvas. */
export const Chart = memo(function Chart(props: Props) {
  const { title, times, series, tell } = props
  const [asTable, setAsTable] = useState(false)
  const [at, setAt] = useState<number | null>(null)
  const id = useId()
  const shown = at === null || at >= times.length ? times.length - 1 : at
  const text = (one: Series) => {
    const value = one.values[shown]
    return value == null ? DASH : tell(value)
  }
  return (
    <Paper withBorder p="sm" component="section" aria-labelledby={id}>
      <Group justify="space-between" mb={4} wrap="nowrap" align="flex-start">
        <Title order={2} fz="sm" fw={600} id={id}>
          {title}
        </Title>
        <Group gap="sm" wrap="nowrap" align="flex-start">
          <Group gap="2px 10px" justify="flex-end" aria-hidden="true">
            {series.map((one) => (
              <Group key={one.label} gap={4} wrap="nowrap">
                <span style={{ width: 10, height: 3, background: `var(${one.color})` }} />
                <Text fz={11} className="num">
                  {series.length > 1 ? `${one.label} ` : ''}
                  {text(one)}
                </Text>
              </Group>
            ))}
          </Group>
          <UnstyledButton fz={11} td="underline" aria-pressed={asTable} onClick={() => setAsTable(!asTable)} mih={24}>
            Table
          </UnstyledButton>
        </Group>
      </Group>
      {asTable ? (
        <Values {...props} />
      ) : (
        <>
          <VisuallyHidden>
            Latest: {series.map((one) => `${one.label} ${text(one)}`).join(', ') || 'no data'}
          </VisuallyHidden>
          <Canvas {...props} onCursor={setAt} />
        </>
      )}
    </Paper>
  )
})

function Canvas({
  times,
  series,
  tell,
  fill,
  height = 150,
  group,
  atLeast = 1,
  onCursor,
}: Props & { onCursor: (at: number | null) => void }) {
  const host = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const scheme = useComputedColorScheme('light')
  const shape = JSON.stringify([scheme, series.map((one) => [one.label, one.color]), fill, height, group, atLeast])
  const latest = useRef({ times, series, tell, onCursor })
  latest.current = { times, series, tell, onCursor }
  useEffect(() => {
    const box = host.current
    if (!box) return
    const made = new uPlot(optionsOf(shape, box.clientWidth, latest.current), dataOf(latest.current), box)
    plot.current = made
    const observer = new ResizeObserver(() => made.setSize({ width: box.clientWidth, height: made.height }))
    observer.observe(box)
    return () => {
      observer.disconnect()
      made.destroy()
      plot.current = null
    }
  }, [shape])
  useEffect(() => plot.current?.setData(dataOf({ times, series })), [times, series])
  return <div ref={host} aria-hidden="true" style={{ height }} />
}

const dataOf = ({ times, series }: Pick<Props, 'times' | 'series'>) =>
  [times, ...series.map((one) => one.values)] as uPlot.AlignedData

/** shape: what the chart has to be made anew for. latest: holds what changes without that. */
function optionsOf(
  shape: string,
  width: number,
  latest: Pick<Props, 'tell'> & { onCursor: (at: number | null) => void },
): uPlot.Options {
  const [, series, fill, height, group, atLeast] = JSON.parse(shape) as [
    string,
    [string, string][],
    boolean | null,
    number,
    string | null,
    number,
  ]
  const axis = {
    stroke: css('--mantine-color-dimmed'),
    grid: { stroke: css('--mantine-color-default-border'), width: 1 },
    ticks: { show: false },
    font: '11px "Inter Variable", sans-serif',
  }
  return {
    width,
    height,
    cursor: { y: false, ...(group && { sync: { key: group } }) },
    legend: { show: false },
    axes: [
      {
        ...axis,
        space: 70,
        size: 26,
        incrs: STEPS,
        values: (_, marks) =>
          marks.map((mark) => timeOfDay(mark, marks.length < 2 || (marks[1] ?? 0) - (marks[0] ?? 0) < 60)),
      },
      { ...axis, size: 62, space: 34, values: (_, marks) => marks.map((mark) => latest.tell(mark)) },
    ],
    scales: { y: { range: (_, _least, most) => [0, Math.max(atLeast, (most ?? 0) * 1.15)] } },
    series: [
      {},
      ...series.map(([label, color]) => ({
        label,
        stroke: css(color),
        width: 1.5,
        points: { show: false },
        ...(fill && { fill: `${css(color)}22` }),
      })),
    ],
    hooks: { setCursor: [(made) => latest.onCursor(made.cursor.idx ?? null)] },
  }
}

function Values({ times, series, tell, height = 150, title }: Props) {
  const rows = times
    .map((time, at) => ({ time, at }))
    .slice(-120)
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
      <Table fz="xs">
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
