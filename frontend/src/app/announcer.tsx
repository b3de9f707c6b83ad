import { VisuallyHidden } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useCallback, useRef, useState } from 'react'
import { useEvent } from '../api/live'
import type { EventAnswer } from '../api/types'

const PAUSE_SECONDS = 5

/** Tells screen readers and, in a corner, everybody of what went wrong: a server is down, a breaker opened. Seldom. */
export function Announcer() {
  const [said, setSaid] = useState('')
  const lastAt = useRef(0)
  const tell = useCallback((event: EventAnswer) => {
    if (!isBad(event)) return
    const now = Date.now() / 1000
    if (now - lastAt.current < PAUSE_SECONDS) return
    lastAt.current = now
    setSaid(event.message)
    notifications.show({ message: event.message, color: event.level === 'error' ? 'red' : 'orange', autoClose: 8000 })
  }, [])
  useEvent('event', tell)
  return (
    <VisuallyHidden role="log" aria-live="polite" aria-label="Alerts">
      {said}
    </VisuallyHidden>
  )
}

export const isBad = (event: EventAnswer) =>
  event.level === 'error' || (event.kind === 'breaker' && event.level === 'warning')
