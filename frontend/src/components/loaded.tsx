import type { UseQueryResult } from '@tanstack/react-query'
import { type ReactNode, useEffect, useState } from 'react'
import { Failed, Loading } from './empty'
import { Stale } from './stale'

const PATIENCE_MS = 150

/**
 * What a query brought. Before that rows that stand in for it, or why it failed and a way to try again. When only a
 * later fetch failed, what was there stays on screen and says of when it is.
 */
export function Loaded<T>({
  query,
  what,
  rows,
  children,
}: {
  query: UseQueryResult<T>
  /** Begins a sentence, as in "Servers could not be loaded". */
  what: string
  rows?: number
  children: (data: T) => ReactNode
}) {
  const { data, error, refetch } = query
  const again = () => void refetch()
  if (data === undefined)
    return error ? <Failed what={what} error={error} onRetry={again} /> : <Soon what={what} rows={rows} />
  return (
    <>
      <Stale query={query} what={what} />
      {children(data)}
    </>
  )
}

/** Nothing for a moment: what comes at once must not flicker. */
function Soon({ what, rows }: { what: string; rows?: number }) {
  const [late, setLate] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), PATIENCE_MS)
    return () => clearTimeout(timer)
  }, [])
  return late ? <Loading rows={rows ?? 5} label={`${what}: loading`} /> : null
}
