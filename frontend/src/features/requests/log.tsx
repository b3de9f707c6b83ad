import { Paper, Stack } from '@mantine/core'
import { memo, useCallback, useMemo, useRef, useState } from 'react'
import { useServerNames } from '../../api/server-names'
import type { RequestAnswer } from '../../api/types'
import { Failed } from '../../components/empty'
import { Stale } from '../../components/stale'
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
export const Log = memo(function Log() {
  const [search, change] = useRequestSearch()
  const { query, rows: now, latest } = useTail()
  const [paused, setPaused] = useState(false)
  const [reading, setReading] = useState(false)
  const [shown, takeIn] = useHeld(now, query.data !== undefined && (paused || reading || search.id !== undefined))
  const names = useServerNames()
  const look = useMemo(() => logLook(names), [names])
  const models = useCallback(() => [...new Set(latest().rows.map((row) => row.model))].filter(Boolean).sort(), [latest])
  const box = useRef<HTMLDivElement>(null)
  const { q, result, server, model, dialect, slower } = search
  const matches = useMemo(
    () => matcher({ q, result, server, model, dialect, slower }),
    [q, result, server, model, dialect, slower],
  )
  const rows = useMemo(() => shown.rows.filter(matches), [shown, matches])
  const fresh = shown === now ? 0 : newSince(now.rows, shown.rows).filter(matches).length
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
  const empty = query.data !== undefined && shown.rows.length === 0 && !isFiltered(search)
  return (
    <Stack gap="sm" className={classes.log}>
      {!empty && (
        <div className={classes.bar}>
          <Filters search={search} onChange={change} servers={names} models={models} />
          <div className={classes.end}>
            <HoldButtons
              fresh={fresh}
              paused={paused}
              onPause={setPaused}
              onShow={() => {
                takeIn(latest())
                box.current?.focus()
                box.current?.scrollTo({ top: 0 })
              }}
            />
          </div>
        </div>
      )}
      <Stale query={query} what="Requests" />
      {query.isLoadingError && rows.length > 0 && (
        <Failed what="Requests" error={query.error} onRetry={() => void query.refetch()} />
      )}
      {!empty && (
        <Shown
          rows={rows}
          all={shown}
          total={query.data?.total}
          onAll={() => void query.refetch().then(() => takeIn(latest()))}
          onClear={isFiltered(search) && rows.length > 0 ? () => change(NO_FILTERS) : undefined}
        />
      )}
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
          className={classes.list}
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
})

/** What is shown: the latest, or while it is held what was there then. The second takes in what is new. */
function useHeld(now: Rows, held: boolean): [Rows, (rows: Rows) => void] {
  const [frozen, setFrozen] = useState<Rows | null>(null)
  if (held && frozen === null) setFrozen(now)
  if (!held && frozen !== null) setFrozen(null)
  return [(held && frozen) || now, setFrozen]
}
