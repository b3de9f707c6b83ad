import { useMemo } from 'react'
import { useServers } from '../api/queries'

/** What servers are called, by their ids. */
export function useServerNames(): ReadonlyMap<string, string> {
  const { data } = useServers()
  // The list is patched with every check: the map stays the same as long as the names do.
  const text = JSON.stringify(data?.map(({ id, name }) => [id, name || id]) ?? [])
  return useMemo(() => new Map<string, string>(JSON.parse(text)), [text])
}
