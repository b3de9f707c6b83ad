import { type Live, live } from './live'

/**
 * Fetches what events keep fresh. It waits for the stream to begin, so that no change falls between the two and nothing
 * has to be fetched twice; where the stream began only while it was fetched, it is fetched once more.
 */
export async function followed<T>(get: () => Promise<T>, stream: Pick<Live, 'settled' | 'get'> = live): Promise<T> {
  await stream.settled()
  const wasLive = stream.get().state === 'live'
  const answer = await get()
  return wasLive || stream.get().state !== 'live' ? answer : get()
}
