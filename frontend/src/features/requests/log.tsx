import { Button, Group, Paper, Stack, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { Activity, FilterX, Pause, Play } from 'lucide-react'
import { useCallback, useMemo, useRef, useState } from 'react'
import { useServers } from '../../api/queries'
import type { RequestAnswer } from '../../api/types'
import { Copyable } from '../../components/copyable'
import { Empty, Failed, Loading } from '../../components/empty'
import { Stale } from '../../components/stale'
import { curl } from '../../lib/curl'
import { count } from '../../lib/format'
import { logLook } from './columns'
import { isFiltered, matcher } from './filter'
import { Filters } from './filters'
import { RequestDrawer } from './request-drawer'
import { NO_FILTERS, useRequestSearch } from './search'
import { KEPT, keyOf, newSince, type Rows } from './tail'
import { useTail } from './use-tail'
import { focusRow, VirtualTable } from './virtual-table'

/** The requests that ended last, growing at the top while nobody holds it. */
export function Log() {
  const [search, change] = useRequestSearch()
  const { query, rows: latest } = useTail()
  const [paused, setPaused] = useState(false)
  const [reading, setReading] = useState(false)
  const [shown, takeIn] = useHeld(latest, query.data !== undefined && (paused || reading || search.id !== undefined))
  const names = useServerNames()
  const look = useMemo(() => logLook(names), [names])
  const box = useRef<HTMLDivElement>(null)
  const { q, result, server, model, dialect, slower } = search
  const matches = useMemo(
    () => matcher({ q, result, server, model, dialect, slower }),
    [q, result, server, model, dialect, slower],
  )
  const rows = useMemo(() => shown.rows.filter(matches), [shown, matches])
  const fresh = shown === latest ? 0 : newSince(latest.rows, shown.rows).filter(matches).length
  const [marker, setMarker] = useState<string>()
  const open =
    rows.find((row) => keyOf(row) === marker && row.id === search.id) ?? rows.find((row) => row.id === search.id)
  const onOpen = useCallback(
    (row: RequestAnswer) => {
      setMarker(keyOf(row))
      change({ id: row.id }, { replace: false })
    },
    [change],
  )
  return (
    <Stack gap="sm">
      <Group justify="space-between" align="flex-start" gap="xs">
        <Filters
          search={search}
          onChange={change}
          servers={useMemo(() => [...names].map(([value, label]) => ({ value, label })), [names])}
          models={() => [...new Set(latest.rows.map((row) => row.model))].filter(Boolean).sort()}
        />
        <Group gap="xs">
          {fresh > 0 && (
            <Button
              variant="light"
              onClick={() => {
                takeIn()
                box.current?.focus()
                box.current?.scrollTo({ top: 0 })
              }}
            >
              {count(fresh)} new, show
            </Button>
          )}
          <Button
            variant="default"
            leftSection={paused ? <Play size={14} /> : <Pause size={14} />}
            onClick={() => setPaused(!paused)}
          >
            {paused ? 'Resume' : 'Pause'}
          </Button>
        </Group>
      </Group>
      <Stale query={query} what="Requests" />
      <Shown rows={rows} all={shown} total={query.data?.total} onAll={() => void query.refetch()} />
      {rows.length > 0 ? (
        <VirtualTable
          label="Requests that ended"
          look={look}
          rows={rows}
          rowKey={keyOf}
          onOpen={onOpen}
          shown={search.id === undefined ? undefined : open && keyOf(open)}
          onReading={setReading}
          box={box}
          height="calc(100dvh - 238px)"
        />
      ) : (
        <Paper withBorder>
          <None
            loading={query.isPending}
            error={query.data === undefined ? query.error : null}
            filtered={isFiltered(search) && shown.rows.length > 0}
            onRetry={() => void query.refetch()}
            onClear={() => change(NO_FILTERS)}
          />
        </Paper>
      )}
      <RequestDrawer
        id={search.id}
        row={open}
        rows={rows}
        names={names}
        onMove={(row) => {
          setMarker(keyOf(row))
          change({ id: row.id })
        }}
        onClose={() => change({ id: undefined })}
        onClosed={() => focusRow(marker, box.current)}
      />
    </Stack>
  )
}

/** What is shown: the latest, or while it is held what was there then. The second takes in what is new. */
function useHeld(latest: Rows, held: boolean): [Rows, () => void] {
  const [frozen, setFrozen] = useState<Rows | null>(null)
  if (held && frozen === null) setFrozen(latest)
  if (!held && frozen !== null) setFrozen(null)
  return [(held && frozen) || latest, () => setFrozen(latest)]
}

function useServerNames(): ReadonlyMap<string, string> {
  const { data } = useServers()
  // The list is patched with every check: the map stays the same as long as the names do.
  const text = JSON.stringify(data?.map(({ id, name }) => [id, name || id]) ?? [])
  return useMemo(() => new Map<string, string>(JSON.parse(text)), [text])
}

function Shown({
  rows,
  all,
  total,
  onAll,
}: {
  rows: readonly RequestAnswer[]
  all: Rows
  total: number | undefined
  onAll: () => void
}) {
  if (total === undefined) return null
  const kept = all.rows.length >= KEPT ? `the last ${count(KEPT)}` : count(all.rows.length)
  return (
    <Group gap="xs" mih={24}>
      <Text size="xs" c="dimmed" className="num">
        {rows.length === all.rows.length ? `Showing ${kept}` : `Showing ${count(rows.length)} of ${kept}`}. The
        orchestrator keeps the last {count(KEPT)} in memory.
      </Text>
      {all.dropped > 0 && (
        <>
          <Text size="xs" className="num">
            {count(all.dropped)} not shown: too many at once.
          </Text>
          <Button size="compact-xs" variant="default" onClick={onAll}>
            Fetch them
          </Button>
        </>
      )}
    </Group>
  )
}

const EXAMPLE = { model: 'llama3.2', messages: [{ role: 'user', content: 'Hello' }] }

function None({
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
