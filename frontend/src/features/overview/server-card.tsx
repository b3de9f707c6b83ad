import { Link } from '@tanstack/react-router'
import { memo } from 'react'
import { useInFlight } from '../../api/metrics'
import type { CheckAnswer, ServerAnswer } from '../../api/types'
import { Heartbeat } from '../../components/heartbeat'
import { ServerMark } from '../../components/server-mark'
import { count } from '../../lib/format'
import classes from './fleet.module.css'

/** Whose reason says no more than the mark and the load do. */
const SAID = ['healthy', 'draining']

/** One server at a glance; leads to its page. */
export const ServerCard = memo(function ServerCard({
  server,
  checks,
}: {
  server: ServerAnswer
  checks: CheckAnswer[]
}) {
  return (
    <li className={classes.card}>
      <div className={classes.head}>
        <Link className={classes.name} to="/servers/$id" params={{ id: server.id }} title={server.name || server.id}>
          {server.name || server.id}
        </Link>
        <ServerMark server={server} />
      </div>
      <Load server={server} />
      <div className={classes.checks}>
        <Heartbeat checks={checks} />
      </div>
      {!SAID.includes(server.status) && server.statusReason && (
        <div className={classes.reason} title={server.statusReason}>
          {server.statusReason}
        </div>
      )}
    </li>
  )
})

function Load({ server }: { server: ServerAnswer }) {
  const inFlight = useInFlight(server.id, server.inFlight)
  const most = server.maxConcurrency
  return (
    <div className={`${classes.load} num`}>
      {most !== null && (
        <span className={classes.track} aria-hidden="true">
          <span style={{ width: `${Math.min(100, (100 * inFlight) / most)}%` }} />
        </span>
      )}
      <span>
        {count(inFlight)}
        {most !== null && ` of ${count(most)}`} in flight
      </span>
    </div>
  )
}
