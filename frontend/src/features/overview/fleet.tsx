import { Button, Group, Paper, Title } from '@mantine/core'
import { useMemo, useState } from 'react'
import type { CheckAnswer, ServerAnswer } from '../../api/types'
import classes from './fleet.module.css'
import { rankOf } from './others'
import { ServerCard } from './server-card'

const SHOWN = 24
const NONE: CheckAnswer[] = []

/** Every server as a card, in the order of registration; of many, those that need a look first. */
export function Fleet({
  servers,
  checks,
}: {
  servers: readonly ServerAnswer[]
  checks: Record<string, CheckAnswer[]> | undefined
}) {
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
            {all ? `Show ${SHOWN}` : `Show all ${servers.length}`}
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
