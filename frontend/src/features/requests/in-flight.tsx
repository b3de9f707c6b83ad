import { Button, Group, Paper, Stack, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { Hourglass } from 'lucide-react'
import { useEffect, useMemo, useRef, useState } from 'react'
import { useServerNames } from '../../api/server-names'
import type { InFlightAnswer } from '../../api/types'
import { Empty, Failed, Loading } from '../../components/empty'
import { Stale } from '../../components/stale'
import { count } from '../../lib/format'
import { CancelDialog } from './cancel-dialog'
import { inFlightLook } from './in-flight-columns'
import { keyOf } from './tail'
import { useInFlight } from './use-in-flight'
import { VirtualTable } from './virtual-table'

/** What runs now, the oldest first, and ending it. */
export function InFlight() {
  const { query, remove } = useInFlight()
  const names = useServerNames()
  const [cancelling, setCancelling] = useState<InFlightAnswer | null>(null)
  const look = useMemo(() => inFlightLook(names, setCancelling), [names])
  const box = useRef<HTMLDivElement>(null)
  const rows = query.data?.inFlight
  const listed = cancelling && rows?.find((row) => keyOf(row) === keyOf(cancelling))
  const gone = cancelling !== null && !listed
  // The dialog may keep an older onClose while it goes away.
  const isGone = useRef(gone)
  useEffect(() => {
    if (cancelling) isGone.current = gone
  }, [cancelling, gone])
  return (
    <Stack gap="sm">
      <Stale query={query} what="Requests in flight" />
      {rows?.length ? (
        <>
          <Group gap="xs" mih={24}>
            <Text size="xs" c="dimmed" className="num">
              {query.data && query.data.total > rows.length
                ? `The oldest ${count(rows.length)} of ${count(query.data.total)}`
                : `${count(rows.length)} in flight`}
              , the oldest first.
            </Text>
          </Group>
          <VirtualTable
            label="Requests in flight"
            look={look}
            rows={rows}
            rowKey={keyOf}
            box={box}
            maxHeight="max(70dvh, 100dvh - 200px)"
          />
        </>
      ) : (
        <Paper withBorder ref={box} tabIndex={-1} role="region" aria-label="Requests in flight">
          {query.data === undefined && query.error ? (
            <Failed what="Requests in flight" error={query.error} onRetry={() => void query.refetch()} />
          ) : rows === undefined ? (
            <Loading label="Loading requests in flight" />
          ) : (
            <Empty
              icon={<Hourglass size={36} />}
              title="Nothing is in flight"
              action={
                <Button variant="default" renderRoot={(props) => <Link to="/playground" {...props} />}>
                  Send one from the playground
                </Button>
              }
            >
              Requests appear here while they wait for a server or are answered, and can be cancelled.
            </Empty>
          )}
        </Paper>
      )}
      {cancelling && (
        <CancelDialog
          request={listed ?? cancelling}
          gone={gone}
          onClose={() => {
            setCancelling(null)
            if (isGone.current) box.current?.focus()
          }}
          onDone={remove}
        />
      )}
    </Stack>
  )
}
