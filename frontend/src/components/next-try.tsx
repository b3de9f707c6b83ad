import { Text } from '@mantine/core'
import { type Breaker, nextTryAt } from '../api/breakers'
import { useLive } from '../api/live'
import { DASH, duration } from '../lib/format'
import { useNow } from './use-now'

/** When a request is to try it again, counting down. The last server that could answer is asked before that, which breakers do not know. */
export const NextTry = ({ breaker }: { breaker: Breaker }) => (
  <Text size="sm" span className="num">
    {nextTryAt(breaker) === null ? nextTryText(breaker, 0) : <Countdown breaker={breaker} />}
  </Text>
)

function Countdown({ breaker }: { breaker: Breaker }) {
  const { offset } = useLive()
  return nextTryText(breaker, useNow() - offset)
}

/** now: Unix seconds by our own clock. */
export function nextTryText(breaker: Breaker, now: number): string {
  if (breaker.forced) return 'When somebody closes it'
  if (breaker.state === 'half-open') return 'One request at a time'
  const at = nextTryAt(breaker)
  if (at === null) return DASH
  const left = Math.ceil(at - now)
  return left > 0 ? `Due in ${left < 60 ? `${left} s` : duration(left)}` : 'With the next request'
}
