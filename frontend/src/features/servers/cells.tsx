import { Badge, Group, Progress, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { memo } from 'react'
import { useInFlight } from '../../api/metrics'
import type { ServerAnswer } from '../../api/types'
import { ServerMark } from '../../components/server-mark'
import { Mark } from '../../components/status'
import { sentence } from '../../lib/format'
import styles from './cells.module.css'
import { nameOf } from './name'
import { sameIn } from './same'

interface Props {
  server: ServerAnswer
}

export const Name = memo(
  ({ server }: Props) => (
    <div className={styles.name}>
      <Text
        size="sm"
        fw={600}
        className="link"
        style={{ overflowWrap: 'anywhere' }}
        renderRoot={(props) => <Link to="/servers/$id" params={{ id: server.id }} {...props} />}
      >
        {nameOf(server)}
      </Text>
      <Text size="xs" c="dimmed" className="mono">
        {server.url}
      </Text>
      {(order(server) || server.tags.length > 0) && (
        <Group gap="2px 6px" mt={2}>
          {order(server) && (
            <Text size="xs" c="dimmed" span>
              {order(server)}
            </Text>
          )}
          <Tags server={server} />
        </Group>
      )}
    </div>
  ),
  sameIn('id', 'name', 'url', 'priority', 'weight', 'tags'),
)

/** Priority and weight where they are not those that every server has; else "". */
export const order = ({ priority, weight }: Pick<ServerAnswer, 'priority' | 'weight'>) =>
  [priority === 0 ? '' : `priority ${priority}`, weight === 1 ? '' : `weight ${weight}`].filter(Boolean).join(' · ')

/** The mark and why; of a draining server what still runs. */
export const Status = memo(
  ({ server }: Props) => (
    <div className={styles.status}>
      <ServerMark server={server} />
      {server.status === 'draining' ? (
        <Draining server={server} />
      ) : (
        server.status !== 'healthy' && <Reason text={sentence(server.statusReason)} />
      )}
    </div>
  ),
  sameIn('id', 'status', 'statusReason', 'inFlight'),
)

const Reason = ({ text }: { text: string }) =>
  text ? (
    <Text size="xs" c="dimmed" lineClamp={3} title={text} style={{ overflowWrap: 'anywhere' }}>
      {text}
    </Text>
  ) : null

export function Draining({ server }: Props) {
  const running = useInFlight(server.id, server.inFlight)
  return running ? (
    <Text size="xs" c="dimmed" className="num">
      {running} still running
    </Text>
  ) : null
}

/** Of its limit, if it has one. */
export const InFlight = memo(
  function InFlight({ server }: Props) {
    const running = useInFlight(server.id, server.inFlight)
    const limit = server.maxConcurrency
    if (limit === null)
      return (
        <Text size="sm" className="num" span>
          {running}
        </Text>
      )
    return (
      <Group gap={8} wrap="nowrap">
        <Progress
          w={56}
          value={Math.min(100, (running / limit) * 100)}
          aria-label={`${nameOf(server)}: ${running} of ${limit} in flight`}
        />
        <Text size="sm" className="num" span style={{ whiteSpace: 'nowrap' }}>
          {running}/{limit}
        </Text>
      </Group>
    )
  },
  sameIn('id', 'name', 'maxConcurrency', 'inFlight'),
)

export const Breakers = ({ server }: Props) => {
  const { open, halfOpen } = server.breakers
  if (!open && !halfOpen)
    return (
      <Text size="sm" c="dimmed" span>
        Closed
      </Text>
    )
  const says = [open ? `${open} open` : '', halfOpen ? `${halfOpen} half-open` : ''].filter(Boolean).join(', ')
  return (
    <Link to="/breakers" search={{ server: server.id }} className="link">
      <Mark tone={open ? 'bad' : 'warn'} word={says} />
    </Link>
  )
}

export const Tags = ({ server }: Props) =>
  server.tags.length ? (
    <Group gap={4}>
      {server.tags.map((tag) => (
        <Badge key={tag} size="sm" variant="default" maw={140} title={tag} style={{ flex: 'none' }}>
          {tag}
        </Badge>
      ))}
    </Group>
  ) : null
