import { Button, Group, Paper, Stack, Title } from '@mantine/core'
import { useMemo, useState } from 'react'
import { useServers } from '../../api/queries'
import type { CheckAnswer, HistoryAnswer, ServerAnswer } from '../../api/types'
import { Failed, Loading } from '../../components/empty'
import { Stale } from '../../components/stale'
import classes from './fleet.module.css'
import { useHistory } from './history'
import { rankOf } from './others'
import type { Range } from './ranges'
import { ServerCard } from './server-card'

const SHOWN = 24
const NONE: CheckAnswer[] = []

const checksOf = (history: HistoryAnswer) => history.checks

/** Every server as a card, in the order of registration; of many, those that need a look first. */
export function Fleet({ range }: { range: Range }) {
  const query = useServers()
  return (
    <Stack gap="sm">
      <Stale query={query} what="Servers" />
      {query.isPending && <Loading label="Loading servers" rows={3} />}
      {query.isError && !query.data && (
        <Failed what="Servers" error={query.error} onRetry={() => void query.refetch()} />
      )}
      {query.data && <Cards servers={query.data} range={range} />}
    </Stack>
  )
}

function Cards({ servers, range }: { servers: readonly ServerAnswer[]; range: Range }) {
  const checks = useHistory(range, checksOf).data
  const [all, setAll] = useState(false)
  const ordered = useMemo(
    () => (servers.length > SHOWN ? [...servers].sort((a, b) => rankOf(a) - rankOf(b)) : servers),
    [servers],
  )
  const shown = all ? ordered : ordered.slice(0, SHOWN)
  return (
    <Paper withBorder p="sm" component="section" aria-labelledby="fleet">
      <Group justify="space-between" mb="xs">
        <Title order={2} fz="sm" fw={600} id="fleet">
          Servers
        </Title>
        {servers.length > SHOWN && (
          <Button size="compact-sm" variant="default" aria-expanded={all} onClick={() => setAll(!all)}>
            {all ? `Show ${SHOWN} servers` : `Show all ${servers.length} servers`}
          </Button>
        )}
      </Group>
      <ul className={classes.cards}>
        {shown.map((server) => (
          <ServerCard key={server.id} server={server} checks={checks?.[server.id] ?? NONE} />
        ))}
      </ul>
    </Paper>
  )
}
