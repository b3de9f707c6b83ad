import { useInFlight } from '../api/metrics'
import type { ServerAnswer } from '../api/types'
import { Mark, StatusMark, statusOf } from './status'

type Shown = Pick<ServerAnswer, 'id' | 'status' | 'inFlight'>

/** The status of a registered server: one that drains is drained once nothing runs there. */
export const ServerMark = ({ server }: { server: Shown }) =>
  server.status === 'draining' ? <DrainMark server={server} /> : <StatusMark status={server.status} />

function DrainMark({ server: { id, status, inFlight } }: { server: Shown }) {
  const { word, tone } = statusOf(status)
  return <Mark tone={tone} word={useInFlight(id, inFlight) ? word : 'Drained'} />
}
