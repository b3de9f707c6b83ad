import type { QueryClient } from '@tanstack/react-query'
import { queries } from '../api/queries'

/** The session has ended: its answer is asked for anew, and once `leave` has left the pages nothing that they showed is kept. */
export async function forget(client: QueryClient, leave: () => Promise<void>) {
  const [session] = queries.session().queryKey
  client.removeQueries({ queryKey: [session] })
  await leave()
  client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== session })
}
