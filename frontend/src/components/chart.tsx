import { Paper, VisuallyHidden } from '@mantine/core'
import { memo, useId, useState } from 'react'
import { DASH } from '../lib/format'
import classes from './chart.module.css'
import { ChartCanvas, NOWHERE } from './chart-canvas'
import { ChartTable } from './chart-table'
import { timeOfDay } from './chart-time'

/** color: name of a CSS variable. values: one per time, null where nothing is known. */
export interface Series {
  label: string
  color: string
  values: (number | null)[]
  dashed?: boolean
}

export interface ChartProps {
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
  /** Seconds that are shown up to the last time, however far the data go back. Without it: all there are. */
  span?: number
  /** Values are whole numbers, and so are the marks of the axis. */
  whole?: boolean
  /** The legend names a series also where it is the only one. */
  named?: boolean
}

/** A canvas with a legend that tells the values at the cursor, a text summary and a table for whoever cannot see the canvas. */
export const Chart = memo(function Chart(props: ChartProps) {
  const { title, times, series, tell, named } = props
  const [asTable, setAsTable] = useState(false)
  const [cursor, setCursor] = useState<number | null>(null)
  const id = useId()
  const pointed = cursor !== null && cursor < times.length ? cursor : null
  const shown = pointed ?? times.length - 1
  const text = (one: Series) => {
    const value = one.values[shown]
    return value == null ? DASH : tell(value)
  }
  return (
    <Paper withBorder p="sm" component="section" aria-labelledby={id}>
      <div className={classes.head}>
        <h2 className={classes.title} id={id}>
          {title}
        </h2>
        <div className={`${classes.legend} num`} aria-hidden="true">
          {series.map((one) => (
            <span key={one.label} className={classes.entry}>
              <span
                className={classes.swatch}
                style={{ borderTop: `3px ${one.dashed ? 'dotted' : 'solid'} var(${one.color})` }}
              />
              {(named || series.length > 1) && <span className={classes.name}>{one.label}</span>}
              {text(one)}
            </span>
          ))}
        </div>
        <button
          type="button"
          className={classes.table}
          aria-pressed={asTable}
          aria-label={`${title} as a table`}
          onClick={() => setAsTable(!asTable)}
        >
          Table
        </button>
      </div>
      {asTable ? (
        <ChartTable {...props} />
      ) : (
        <div className={classes.drawing}>
          <VisuallyHidden>
            Latest: {series.map((one) => `${one.label} ${text(one)}`).join(', ') || 'no data'}
          </VisuallyHidden>
          <ChartCanvas {...props} onCursor={setCursor} />
          {pointed !== null && pointed !== NOWHERE && (
            <span className={`${classes.time} num`} aria-hidden="true">
              {timeOfDay(times[pointed] ?? 0, true)}
            </span>
          )}
        </div>
      )}
    </Paper>
  )
})
