import { Paper, Stack } from '@mantine/core'
import { useCallback, useMemo, useRef, useState } from 'react'
import type { RequestAnswer } from '../../api/types'
import { Stale } from '../../components/stale'
import { useServerNames } from '../../components/use-server-names'
import { logLook } from './columns'
import { isFiltered, matcher } from './filter'
import { Filters } from './filters'
import { HoldButtons } from './hold-buttons'
import classes from './log.module.css'
import { Nothing } from './nothing'
import { RequestDrawer } from './request-drawer'
import { NO_FILTERS, useRequestSearch } from './search'
import { Shown } from './shown'
import { keyOf, newSince, type Rows } from './tail'
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
    <Stack gap="sm" className={classes.log}>
      <Filters
        search={search}
        onChange={change}
        servers={useMemo(() => [...names].map(([value, label]) => ({ value, label })), [names])}
        models={() => [...new Set(latest.rows.map((row) => row.model))].filter(Boolean).sort()}
      >
        <HoldButtons
          fresh={fresh}
          paused={paused}
          onPause={setPaused}
          onShow={() => {
            takeIn()
            box.current?.focus()
            box.current?.scrollTo({ top: 0 })
          }}
        />
      </Filters>
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
          height="calc(100dvh - var(--above))"
          minHeight="320px"
        />
      ) : (
        <Paper withBorder>
          <Nothing
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
