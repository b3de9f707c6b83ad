import { Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { count, DASH, duration, rate } from '../../lib/format'
import type { Answer } from './answer'

/** Who answered, how fast, and the way to the request in the log. */
export function Foot({ answer, names }: { answer: Answer; names: ReadonlyMap<string, string> }) {
  return (
    <Text size="xs" c="dimmed" className="num">
      {figuresOf(answer, names).join(' · ')}
      {answer.requestId && (
        <>
          {' · '}
          <Link to="/requests" search={{ id: answer.requestId }}>
            Details of the request
          </Link>
        </>
      )}
    </Text>
  )
}

export function figuresOf(answer: Answer, names: ReadonlyMap<string, string>): string[] {
  const { state, limited, server, tries, firstTokenSeconds, promptTokens, completionTokens, seconds } = answer
  return [
    ...(state === 'stopped' ? ['Stopped'] : []),
    ...(limited ? ['Ended at the limit of tokens'] : []),
    server === null ? 'no server' : (names.get(server) ?? server),
    tries === null ? `${DASH} tries` : tries === 1 ? '1 try' : `${tries} tries`,
    `first token ${duration(firstTokenSeconds)}`,
    `${count(promptTokens)} tokens in, ${count(completionTokens)} out`,
    `${rate(answer.tokensPerSecond)} tokens/s`,
    duration(seconds),
  ]
}
