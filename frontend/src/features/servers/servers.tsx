import { Button, NativeSelect, Paper } from '@mantine/core'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { Plus, ServerCog } from 'lucide-react'
import { useCallback, useMemo } from 'react'
import { useServers } from '../../api/queries'
import type { ServerAnswer } from '../../api/types'
import { DataTable } from '../../components/data-table'
import { Empty } from '../../components/empty'
import { Filter } from '../../components/filter'
import { Loaded } from '../../components/loaded'
import { Page } from '../../components/page'
import { STATUSES } from '../../components/status'
import { columnsOf } from './columns'
import { useServerDialogs } from './dialogs'
import { filtered, type ServerSearch, tagsOf } from './filters'
import { ServerDialog } from './form/dialog'

export function Servers() {
  const search = useSearch({ from: '/shell/servers' })
  const navigate = useNavigate({ from: '/servers' })
  const query = useServers()
  const { open, dialogs } = useServerDialogs()
  const setFilter = useCallback(
    (change: { [K in keyof ServerSearch]?: string | undefined }) =>
      void navigate({ search: (old) => ({ ...old, ...change }), replace: true }),
    [navigate],
  )
  const setAdding = useCallback(
    (add: true | undefined) => void navigate({ search: (old) => ({ ...old, add }) }),
    [navigate],
  )
  return (
    <Page
      title="Servers"
      actions={
        <>
          {query.data && query.data.length > 0 && <Filters servers={query.data} search={search} onChange={setFilter} />}
          <Button leftSection={<Plus size={16} />} onClick={() => setAdding(true)}>
            Add server
          </Button>
        </>
      }
    >
      <Paper withBorder>
        <Loaded query={query} what="Servers">
          {(servers) => (
            <List
              servers={servers}
              search={search}
              onOpen={open}
              onClear={() => setFilter({ q: undefined, status: undefined, tag: undefined })}
            />
          )}
        </Loaded>
      </Paper>
      <ServerDialog opened={search.add === true} onClose={() => setAdding(undefined)} />
      {dialogs}
    </Page>
  )
}

function List({
  servers,
  search,
  onOpen,
  onClear,
}: {
  servers: ServerAnswer[]
  search: ServerSearch
  onOpen: ReturnType<typeof useServerDialogs>['open']
  onClear: () => void
}) {
  const { q, status, tag } = search
  const shown = useMemo(
    () => filtered(servers, { ...(q && { q }), ...(status && { status }), ...(tag && { tag }) }),
    [servers, q, status, tag],
  )
  const columns = useMemo(() => columnsOf(onOpen), [onOpen])
  if (servers.length === 0)
    return (
      <Empty icon={<ServerCog size={36} />} title="No servers yet">
        Add one and its models appear here within seconds.
      </Empty>
    )
  return (
    <DataTable
      label="Servers"
      columns={columns}
      data={shown}
      rowId={(server) => server.id}
      minWidth={1000}
      cardsBelow="80em"
      nothing={
        <Empty
          title="No server matches"
          action={
            <Button variant="default" onClick={onClear}>
              Clear filter
            </Button>
          }
        />
      }
    />
  )
}

function Filters({
  servers,
  search,
  onChange,
}: {
  servers: ServerAnswer[]
  search: ServerSearch
  onChange: (change: { [K in keyof ServerSearch]?: string | undefined }) => void
}) {
  const tags = tagsOf(servers)
  const statuses = Object.entries(STATUSES).map(([value, { word }]) => ({ value, label: word }))
  return (
    <>
      <Filter value={search.q} onChange={(q) => onChange({ q })} label="Filter servers" />
      <NativeSelect
        aria-label="Status"
        data={[{ value: '', label: 'Any status' }, { value: 'trouble', label: 'Not up' }, ...statuses]}
        value={search.status ?? ''}
        onChange={(event) => onChange({ status: event.currentTarget.value || undefined })}
      />
      {tags.length > 0 && (
        <NativeSelect
          aria-label="Tag"
          data={[{ value: '', label: 'Any tag' }, ...tags]}
          value={search.tag ?? ''}
          onChange={(event) => onChange({ tag: event.currentTarget.value || undefined })}
        />
      )}
    </>
  )
}
