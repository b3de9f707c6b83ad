import { Button, Paper, Stack } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Zap } from 'lucide-react'
import { useCallback, useMemo, useRef } from 'react'
import { queries } from '../../api/queries'
import { useServerNames } from '../../api/server-names'
import { Empty, Failed, Loading } from '../../components/empty'
import { Page } from '../../components/page'
import { Stale } from '../../components/stale'
import { Explanation } from './explanation'
import { BreakerFilters } from './filters'
import { Groups } from './groups'
import { OpenDialog } from './open-dialog'
import { groupsOf, refetchSeconds } from './select'
import { useBreakerSearch } from './use-search'

export function Breakers() {
  const [search, set] = useBreakerSearch()
  const query = useQuery({
    ...queries.breakers(),
    refetchInterval: ({ state }) => state.data !== undefined && refetchSeconds(state.data) * 1000,
  })
  const names = useServerNames()
  const [asked, asking] = useDisclosure()
  const breakers = query.data
  const groups = useMemo(() => groupsOf(breakers ?? [], search, names), [breakers, search, names])
  const list = useRef<HTMLDivElement>(null)
  const focusList = useCallback(() => keepFocus(list.current), [])
  return (
    <Page
      title="Circuit breakers"
      actions={
        breakers?.length ? (
          <>
            <BreakerFilters search={search} onChange={set} names={names} />
            <Button variant="default" onClick={asking.open}>
              Open a breaker
            </Button>
          </>
        ) : null
      }
    >
      <Stale query={query} what="Breakers" />
      <Stack gap="sm" ref={list} tabIndex={-1} style={{ outline: 'none' }}>
        {breakers === undefined ? (
          query.isError ? (
            <Failed what="Breakers" error={query.error} onRetry={() => void query.refetch()} />
          ) : (
            <Loading label="Loading breakers" />
          )
        ) : breakers.length === 0 ? (
          <NoServers />
        ) : (
          <Groups
            breakers={breakers}
            groups={groups}
            search={search}
            onClear={() => set({ q: undefined, state: undefined, server: undefined })}
            onDone={focusList}
          />
        )}
      </Stack>
      <Explanation />
      <OpenDialog opened={asked} onClose={asking.close} names={names} />
    </Page>
  )
}

/** A row that moves to another group takes its buttons with it: the list has focus then, rather than nothing. */
function keepFocus(list: HTMLElement | null) {
  setTimeout(() => {
    if (!document.activeElement || document.activeElement === document.body) list?.focus({ preventScroll: true })
  }, 300)
}

const NoServers = () => (
  <Paper withBorder>
    <Empty
      icon={<Zap size={36} />}
      title="No breakers yet"
      action={
        <Button renderRoot={(props) => <Link to="/servers" search={{ add: true }} {...props} />}>Add a server</Button>
      }
    >
      Every server comes with one. It opens when requests fail.
    </Empty>
  </Paper>
)
