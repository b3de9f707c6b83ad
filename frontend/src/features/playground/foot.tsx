import { Anchor, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import type { Names } from '../../api/server-names'
import { count, DASH, duration, rate } from '../../lib/format'
import type { Answer } from './answer'

/** Who answered, how fast, and the way to the request in the log. */
export function Foot({ answer, names }: { answer: Answer; names: Names }) {
  const id = answer.requestId
  return (
    <Text size="xs" c="dimmed" className="num">
      {figuresOf(answer, names).join(' · ')}
      {id && (
        <>
          {' · '}
          <Anchor
            size="xs"
            underline="always"
            renderRoot={(props) => <Link to="/requests" search={{ id }} {...props} />}
          >
            Details of the request
          </Anchor>
        </>
      )}
    </Text>
  )
}

export function figuresOf(answer: Answer, names: Names): string[] {
  const { state, limited, server, tries, firstTokenSeconds, promptTokens, completionTokens, seconds } = answer
  return [
    ...(state === 'stopped' ? ['Stopped'] : []),
    ...(limited ? ['Ended at the limit of tokens'] : []),
    server === null ? 'no server' : (names[server] ?? server),
    tries === null ? `${DASH} tries` : tries === 1 ? '1 try' : `${tries} tries`,
    `TTFT ${duration(firstTokenSeconds)}`,
    `${count(promptTokens)} tokens in, ${count(completionTokens)} out`,
    `${rate(answer.tokensPerSecond)} tokens/s`,
    duration(seconds),
  ]
}
