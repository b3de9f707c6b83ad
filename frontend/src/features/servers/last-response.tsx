import { Text } from '@mantine/core'
import type { ServerAnswer } from '../../api/types'
import { DASH, milliseconds } from '../../lib/format'

type Told = Pick<ServerAnswer, 'lastResponseTime' | 'outcomes'>

/** How long the last answer took, and what it was: a whole one to a request, before any that of a check. */
export function lastResponseText({ lastResponseTime, outcomes }: Told): string {
  if (lastResponseTime === null) return DASH
  return `${milliseconds(lastResponseTime)}, ${outcomes.ok ? 'request' : 'check'}`
}

export const LastResponse = ({ server }: { server: Told }) => (
  <Text size="sm" className="num" span style={{ whiteSpace: 'nowrap' }}>
    {lastResponseText(server)}
  </Text>
)
