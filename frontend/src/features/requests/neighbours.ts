import type { RequestAnswer } from '../../api/types'

/** The rows above and below. Others with the same id are passed over: the address could not tell them apart. */
export function neighbours(rows: readonly RequestAnswer[], row: RequestAnswer | undefined) {
  const at = row ? rows.indexOf(row) : -1
  if (at < 0) return { before: undefined, after: undefined }
  const other = (one: RequestAnswer) => one.id !== row?.id
  return { before: rows.slice(0, at).findLast(other), after: rows.slice(at + 1).find(other) }
}
