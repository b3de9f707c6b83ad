import { VisuallyHidden } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useEffect, useState } from 'react'
import { live, serverNow } from '../api/live'
import type { EventAnswer } from '../api/types'

const PAUSE_MS = 5000
/** What is older when it arrives was missed while the stream was away: the recent events tell of it. */
const NEWS_SECONDS = 30

/** Tells screen readers and, in a corner, everybody of what went wrong: a server is down, a breaker opened. Seldom. */
export function Announcer() {
  const [said, setSaid] = useState('')
  useEffect(() => {
    const alerts = new Alerts(({ text, level }) => {
      setSaid(text)
      notifications.show({ message: text, color: level === 'error' ? 'red' : 'orange', autoClose: 8000 })
    })
    const end = live.on('event', (event) => {
      if (isBad(event) && serverNow() - event.time < NEWS_SECONDS) alerts.add(event)
    })
    return () => {
      end()
      alerts.stop()
    }
  }, [])
  return (
    <VisuallyHidden role="log" aria-live="polite" aria-label="Alerts">
      {said}
    </VisuallyHidden>
  )
}

export const isBad = (event: EventAnswer) =>
  event.level === 'error' || (event.kind === 'breaker' && event.level === 'warning')

interface Alert {
  text: string
  level: EventAnswer['level']
}

/** The first at once; those that follow within the pause as one, at its end. */
export class Alerts {
  private waiting: EventAnswer[] = []
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly tell: (alert: Alert) => void) {}

  add(event: EventAnswer) {
    this.waiting.push(event)
    if (this.timer === undefined) this.flush()
  }

  stop() {
    clearTimeout(this.timer)
  }

  private flush() {
    const worst = this.waiting.find((event) => event.level === 'error') ?? this.waiting[0]
    const more = this.waiting.length - 1
    this.waiting = []
    this.timer = worst && setTimeout(() => this.flush(), PAUSE_MS)
    if (worst) this.tell({ text: more ? `${worst.message}; and ${more} more` : worst.message, level: worst.level })
  }
}
