import { Button, Group, Paper, Text, Title, VisuallyHidden } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { queries } from '../../api/queries'
import { useServerNames } from '../../api/server-names'
import type { EventAnswer } from '../../api/types'
import { Failed, Loading } from '../../components/empty'
import { Stale } from '../../components/stale'
import { utc } from '../../lib/format'
import classes from './events.module.css'
import { momentOf } from './moment'

const SHOWN = 10
const MOST = 100
const LEVELS: Record<EventAnswer['level'], { word: string; tone: string }> = {
  error: { word: 'Error', tone: 'bad' },
  warning: { word: 'Warning', tone: 'warn' },
  info: { word: 'Note', tone: 'none' },
}

/** What happened lately, newest first. */
export function Events() {
  const query = useQuery(queries.activity())
  const [all, setAll] = useState(false)
  const events = query.data?.events.slice(0, MOST) ?? []
  return (
    <Paper withBorder p="sm" component="section" aria-labelledby="events">
      <Group justify="space-between" mb="xs">
        <Title order={2} fz="sm" fw={600} id="events">
          Recent events
        </Title>
        {events.length > SHOWN && (
          <Button size="compact-sm" variant="default" aria-expanded={all} onClick={() => setAll(!all)}>
            {all ? `Show ${SHOWN} events` : `Show all ${events.length} events`}
          </Button>
        )}
      </Group>
      <Stale query={query} what="Events" />
      {query.isPending && <Loading label="Loading events" rows={3} />}
      {query.isError && !query.data && (
        <Failed what="Events" error={query.error} onRetry={() => void query.refetch()} />
      )}
      {query.data && !events.length && (
        <Text size="sm" c="dimmed">
          Nothing has happened yet. Changes of servers and breakers will be listed here.
        </Text>
      )}
      <ul className={classes.events}>
        {events.slice(0, all ? MOST : SHOWN).map((event) => (
          <Event key={event.number} event={event} />
        ))}
      </ul>
    </Paper>
  )
}

function Event({ event }: { event: EventAnswer }) {
  const names = useServerNames()
  const level = LEVELS[event.level]
  const name = event.server === null ? undefined : names[event.server]
  return (
    <li className={classes.event}>
      <span className={`${classes.time} num`} title={utc(event.time)}>
        {momentOf(event.time)}
      </span>
      <span className="dot" data-tone={level.tone} aria-hidden="true" />
      <VisuallyHidden>{level.word}:</VisuallyHidden>
      <span className={classes.message}>{event.message}</span>
      {event.server !== null && name !== undefined && (
        <Link className={classes.server} to="/servers/$id" params={{ id: event.server }}>
          {name}
        </Link>
      )}
    </li>
  )
}
