import { Alert, Button, Group } from '@mantine/core'
import { useEffect, useState } from 'react'
import { live, useLive } from '../api/live'
import { useServers } from '../api/queries'
import { clock } from '../lib/format'

const PATIENCE_SECONDS = 10

/** Only for what concerns every page: the stream is lost, no server takes requests, another build is running. */
export function Banner() {
  const { state, lostSince, outdated } = useLive()
  const { data: servers } = useServers()
  const lost = useLongLost(state === 'lost' ? lostSince : null)
  const able = servers?.filter((server) => ['healthy', 'degraded', 'unknown'].includes(server.status)).length
  if (lost && lostSince !== null)
    return (
      <Message
        text={`Live updates have been missing since ${clock(lostSince)}; figures may be of that time.`}
        action="Try now"
        onAction={live.retryNow}
      />
    )
  if (outdated)
    return (
      <Message
        text="Another version of the orchestrator is running. Reload to see its pages."
        action="Reload"
        onAction={() => location.reload()}
      />
    )
  if (servers?.length && able === 0)
    return <Message text="No server takes requests. Every request is refused until one does." />
  return null
}

function useLongLost(since: number | null): boolean {
  const [long, setLong] = useState(false)
  useEffect(() => {
    setLong(false)
    if (since === null) return
    const timer = setTimeout(() => setLong(true), Math.max(0, (since + PATIENCE_SECONDS) * 1000 - Date.now()))
    return () => clearTimeout(timer)
  }, [since])
  return long
}

function Message({ text, action, onAction }: { text: string; action?: string; onAction?: () => void }) {
  return (
    <Alert color="red" variant="outline" mb="sm" py="xs" role="alert">
      <Group justify="space-between" gap="sm">
        {text}
        {action && (
          <Button size="compact-sm" variant="default" onClick={onAction}>
            {action}
          </Button>
        )}
      </Group>
    </Alert>
  )
}
