import { useEffect, useState } from 'react'
import { serverNow } from '../api/live'

/** Unix seconds by the orchestrator's clock, new every so often. */
export function useNow(everySeconds = 1): number {
  const [now, setNow] = useState(serverNow)
  useEffect(() => {
    const timer = setInterval(() => setNow(serverNow()), everySeconds * 1000)
    return () => clearInterval(timer)
  }, [everySeconds])
  return now
}
