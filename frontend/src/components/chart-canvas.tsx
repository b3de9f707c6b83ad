import { useComputedColorScheme } from '@mantine/core'
import { memo, useEffect, useRef } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import type { ChartProps } from './chart'
import { timeOfDay } from './chart-time'

type Cursor = (at: number | null) => void

const STEPS = [1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400]
const WHOLE_STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000]
const css = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()

/** The cursor is where there are no data. */
export const NOWHERE = -1

/** The drawing. onCursor: told the index of the time under the cursor, NOWHERE where there is none near, null when it has left. */
export const ChartCanvas = memo(function ChartCanvas(props: ChartProps & { onCursor: Cursor }) {
  const { times, series, height = 150 } = props
  const host = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const visible = useRef(true)
  const latest = useRef(props)
  latest.current = props
  const scheme = useComputedColorScheme('light')
  // What the drawing has to be made anew for; everything else changes in it.
  const { fill, group, atLeast, span, whole } = props
  const colors = series.map((one) => [one.label, one.color, one.dashed])
  const shape = JSON.stringify([scheme, colors, fill, height, group, atLeast, span, whole])
  useEffect(() => {
    const box = host.current
    if (!box || !shape) return
    const made = new uPlot(optionsOf(latest, box.clientWidth), dataOf(latest.current), box)
    plot.current = made
    const observer = new ResizeObserver(() => {
      if (box.clientWidth !== made.width) made.setSize({ width: box.clientWidth, height: made.height })
    })
    observer.observe(box)
    // What nobody sees is not drawn each second, but as soon as it is scrolled to.
    const seen = new IntersectionObserver(([entry]) => {
      visible.current = entry?.isIntersecting ?? true
      if (visible.current && made.data[0] !== latest.current.times) made.setData(dataOf(latest.current))
    })
    seen.observe(box)
    return () => {
      observer.disconnect()
      seen.disconnect()
      made.destroy()
      plot.current = null
    }
  }, [shape])
  useEffect(() => {
    if (visible.current) plot.current?.setData(dataOf({ times, series }))
  }, [times, series])
  return <div ref={host} aria-hidden="true" style={{ height, overflow: 'hidden' }} />
})

const dataOf = ({ times, series }: Pick<ChartProps, 'times' | 'series'>) =>
  [times, ...series.map((one) => one.values)] as uPlot.AlignedData

function optionsOf(latest: { current: ChartProps & { onCursor: Cursor } }, width: number): uPlot.Options {
  const { series, fill, height = 150, group, atLeast = 1, span, whole } = latest.current
  return {
    width,
    height,
    // Dragging would zoom, and the next point end it.
    cursor: { y: false, drag: { x: false, y: false }, ...(group && { sync: { key: group } }) },
    legend: { show: false },
    padding: [8, 16, 0, 0],
    axes: axesOf((value) => latest.current.tell(value), whole),
    scales: {
      ...(span && {
        x: { range: (_, _first, last) => [(last ?? Date.now() / 1000) - span, last ?? Date.now() / 1000] },
      }),
      y: { range: (_, _least, most) => [0, Math.max(atLeast, (most ?? 0) * 1.15)] },
    },
    series: [
      {},
      ...series.map(({ label, color, dashed }) => ({
        label,
        stroke: css(color),
        width: 1.5,
        points: { show: false, filter: lonely, size: 4, width: 0, fill: css(color) },
        ...(dashed && { dash: [4, 4] }),
        ...(fill && { fill: `${css(color)}22` }),
      })),
    ],
    hooks: { setCursor: [(made) => latest.current.onCursor(pointedAt(made))] },
  }
}

function pointedAt(made: uPlot): number | null {
  const { idx, left = -1 } = made.cursor
  if (idx == null) return null
  const [times, ...values] = made.data
  return left < 0 || isNear(times, values, idx, made.posToVal(left, 'x')) ? idx : NOWHERE
}

/** Whether this time is at most a step from the data at the nearest index, or on a line from there. */
export function isNear(
  times: ArrayLike<number>,
  values: readonly ArrayLike<number | null | undefined>[],
  at: number,
  time: number,
): boolean {
  const moment = times[at] ?? Number.NaN
  const beside = time < moment ? at - 1 : at + 1
  if (values.some((one) => one[beside] != null)) return true
  const steps = [at - 1, at + 1].map((other) => Math.abs((times[other] ?? Number.POSITIVE_INFINITY) - moment))
  const step = Math.min(...steps)
  return Math.abs(time - moment) <= (Number.isFinite(step) ? step : 1)
}

function axesOf(tell: (value: number) => string, whole?: boolean): uPlot.Axis[] {
  const axis = {
    stroke: css('--mantine-color-dimmed'),
    grid: { stroke: css('--mantine-color-default-border'), width: 1 },
    ticks: { show: false },
    font: '11px "Inter Variable", sans-serif',
  }
  return [
    {
      ...axis,
      space: 70,
      size: 22,
      incrs: STEPS,
      values: (_, marks) => {
        const withSeconds = (marks[1] ?? Number.POSITIVE_INFINITY) - (marks[0] ?? 0) < 60
        return marks.map((mark) => timeOfDay(mark, withSeconds))
      },
    },
    {
      ...axis,
      size: 58,
      space: 34,
      ...(whole && { incrs: WHOLE_STEPS }),
      values: (_, marks) => marks.map((mark) => (mark === 0 ? '0' : trimmed(tell(mark)))),
    },
  ]
}

/** Without zeros that tell nothing: `2.50/s` is `2.5/s`. */
export const trimmed = (text: string) => text.replace(/(\.\d*?)0+(?!\d)/, '$1').replace(/\.(?!\d)/, '')

/** Values without neighbours make no line: they are drawn as dots. */
const lonely: uPlot.Series.Points.Filter = (made, at) => {
  const found = lonelyIn(made.data[at] ?? [])
  return found.length ? found : null
}

export function lonelyIn(values: ArrayLike<number | null | undefined>): number[] {
  const found: number[] = []
  for (let at = 0; at < values.length; at++)
    if (values[at] != null && values[at - 1] == null && values[at + 1] == null) found.push(at)
  return found
}
