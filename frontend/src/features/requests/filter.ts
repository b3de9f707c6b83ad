import type { RequestAnswer } from '../../api/types'
import { isError } from '../../lib/failures'
import type { RequestSearch } from './search'

const texts = new WeakMap<RequestAnswer, string>()

/** What the text filter looks into, in lower case. */
function textOf(row: RequestAnswer): string {
  const made = texts.get(row)
  if (made !== undefined) return made
  const { id, model, server, path, client, reason, status, attempts } = row
  const text = [id, model, server, path, client, reason, status, ...attempts.map((one) => one.server)].join('\n')
  texts.set(row, text.toLowerCase())
  return text.toLowerCase()
}

const fold = (model: string) => model.toLowerCase().replace(/:latest$/, '')

/** Whether a request is one of those that the address asks for. */
export function matcher({ q, result, server, model, dialect, slower }: RequestSearch): (row: RequestAnswer) => boolean {
  const sought = q?.toLowerCase()
  const folded = model && fold(model)
  const seconds = secondsOf(slower)
  return (row) =>
    (!result || endedAs(row, result)) &&
    (!server || row.server === server || row.attempts.some((one) => one.server === server)) &&
    (!folded || fold(row.model) === folded) &&
    (!dialect || row.dialect === dialect) &&
    (seconds === null || row.durationSeconds > seconds) &&
    (!sought || textOf(row).includes(sought))
}

/** result: `ok`, `failed` in any way, `error` where that counts as one, or how it failed. */
function endedAs({ failure }: RequestAnswer, result: string): boolean {
  if (result === 'error') return failure !== null && isError(failure)
  return result === 'ok' ? !failure : result === 'failed' ? failure !== null : failure === result
}

export const isFiltered = ({ q, result, server, model, dialect, slower }: RequestSearch) =>
  [q, result, server, model, dialect, slower].some(Boolean)

/** Null where it is no number of seconds. */
export function secondsOf(text: string | number | undefined): number | null {
  if (text === undefined || text === '') return null
  const seconds = Number(text)
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : null
}
