import { Button, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { Activity, FilterX } from 'lucide-react'
import { Copyable } from '../../components/copyable'
import { Empty, Failed, Loading } from '../../components/empty'
import { curl } from '../../lib/curl'

const EXAMPLE = { model: 'llama3.2', messages: [{ role: 'user', content: 'Hello' }] }

/** What stands where the log would be. */
export function Nothing({
  loading,
  error,
  filtered,
  onRetry,
  onClear,
}: {
  loading: boolean
  error: unknown
  filtered: boolean
  onRetry: () => void
  onClear: () => void
}) {
  if (error) return <Failed what="Requests" error={error} onRetry={onRetry} />
  if (loading) return <Loading rows={10} label="Loading requests" />
  if (filtered)
    return (
      <Empty
        icon={<FilterX size={36} />}
        title="No request matches"
        action={
          <Button variant="default" onClick={onClear}>
            Clear filters
          </Button>
        }
      >
        None of those that ended lately is like this. New ones appear here as they end.
      </Empty>
    )
  return (
    <Empty
      icon={<Activity size={36} />}
      title="No requests yet"
      action={
        <Button renderRoot={(props) => <Link to="/playground" {...props} />}>Send one from the playground</Button>
      }
    >
      <Text size="sm" mb="xs">
        Each request to this address appears here when it has ended. Or send one by hand:
      </Text>
      <Copyable
        label="command"
        text={curl({
          url: `${location.origin}/api/chat`,
          body: EXAMPLE,
          headers: [['Content-Type', 'application/json']],
        })}
      />
    </Empty>
  )
}
