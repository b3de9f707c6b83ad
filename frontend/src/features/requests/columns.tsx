import type { ReactNode } from 'react'
import type { Names } from '../../api/server-names'
import type { RequestAnswer } from '../../api/types'
import { clock, DASH, duration, utc } from '../../lib/format'
import { outcomeOf } from '../../lib/words'
import classes from './columns.module.css'
import { dialectOf, endOf, operationOf, rateText, tokensText, triesText } from './figures'
import type { Column, Look } from './virtual-table'

/** How a request ended: mark, word, status. A 200 whose stream broke is no success. */
export function Result({ row }: { row: Pick<RequestAnswer, 'failure' | 'status'> }) {
  const { word, tone } = outcomeOf(row.failure ?? 'ok')
  return (
    <span className={classes.result}>
      <span className="dot" data-tone={tone} aria-hidden="true" />
      <span>{word}</span>
      <span className={classes.dim}>{row.status || ''}</span>
    </span>
  )
}

const serverOf = ({ server, attempts }: RequestAnswer, names: Names) => (
  <>
    {server ? (names[server] ?? server) : DASH}
    {attempts.length > 1 && <Dim> {triesText(attempts.length)}</Dim>}
  </>
)

const Dim = ({ children }: { children: ReactNode }) => <span className={classes.small}>{children}</span>

/** names: of servers by their ids. */
export function logLook(names: Names): Look<RequestAnswer> {
  const columns: Column<RequestAnswer>[] = [
    { header: 'Ended', width: '68px', cell: (row) => clock(endOf(row)) },
    { header: 'Result', width: '148px', cell: (row) => <Result row={row} /> },
    { header: 'Model', width: 'minmax(140px, 1.4fr)', cell: (row) => row.model || DASH },
    {
      header: 'Operation',
      width: 'minmax(120px, 1fr)',
      cell: (row) => (
        <span title={row.path}>
          {operationOf(row.operation)} <Dim>{dialectOf(row.dialect)}</Dim>
        </span>
      ),
    },
    { header: 'Server', width: 'minmax(120px, 1fr)', cell: (row) => serverOf(row, names) },
    { header: 'Client', width: '108px', extra: true, cell: (row) => row.client || DASH },
    { header: 'TTFT', width: '62px', end: true, cell: (row) => duration(row.stream ? row.firstEventSeconds : null) },
    { header: 'Total', width: '62px', end: true, cell: (row) => duration(row.durationSeconds) },
    { header: 'Tokens in / out', width: '104px', end: true, cell: tokensText },
    { header: 'Tokens/s', width: '66px', end: true, extra: true, cell: rateText },
  ]
  return {
    columns,
    minWidth: 920,
    cards: '(max-width: 74.99em)',
    tight: '(max-width: 87.49em)',
    cardHeight: 96,
    card: (row) => <LogCard row={row} names={names} />,
    name: (row) => `${clock(endOf(row))}, details`,
    hint: (row) => `Came ${utc(row.time)}, ended ${utc(endOf(row))}${row.reason ? `: ${row.reason}` : ''}`,
  }
}

function LogCard({ row, names }: { row: RequestAnswer; names: Names }) {
  return (
    <div className={classes.card}>
      <div className={classes.spread}>
        <Result row={row} />
        <span>{clock(endOf(row))}</span>
      </div>
      <div className={classes.strong}>{row.model || DASH}</div>
      <div className={classes.small}>
        {operationOf(row.operation)}, {dialectOf(row.dialect)} · {serverOf(row, names)}
      </div>
      <div className={classes.small}>
        {row.stream && `TTFT ${duration(row.firstEventSeconds)} · `}
        {duration(row.durationSeconds)} · {tokensText(row)} tokens
      </div>
    </div>
  )
}
