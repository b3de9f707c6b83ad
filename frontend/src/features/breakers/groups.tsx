import { Button, Group, Paper, Text, Title } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { ChevronDown, ChevronRight } from 'lucide-react'
import type { Breaker } from '../../api/breakers'
import { Empty } from '../../components/empty'
import { BREAKER_STATES } from '../../components/status'
import { type BreakerSearch, type groupsOf, isQuiet } from './select'
import { BreakerTable } from './table'

/** breakers: all of them. groups: those that the search leaves. */
export function Groups({
  breakers,
  groups,
  search,
  onClear,
  onDone,
}: {
  breakers: Breaker[]
  groups: ReturnType<typeof groupsOf>
  search: BreakerSearch
  onClear: () => void
  onDone: () => void
}) {
  const filtered = Boolean(search.q || search.state || search.server)
  const count = groups.reduce((sum, group) => sum + group.breakers.length, 0)
  const troubled = groups.some((group) => group.state !== 'closed' && group.breakers.length)
  if (filtered && !count)
    return (
      <Paper withBorder>
        <Empty
          title="No breaker matches"
          action={
            <Button variant="default" onClick={onClear}>
              Clear filters
            </Button>
          }
        />
      </Paper>
    )
  return (
    <>
      {!filtered && !troubled && (
        <Paper withBorder p="md">
          <Text size="sm">
            {isQuiet(breakers) ? 'No requests failed yet: every breaker is closed.' : 'Every breaker is closed.'}
          </Text>
        </Paper>
      )}
      {groups
        .filter((group) => group.breakers.length)
        .map((group) => (
          <StateGroup
            key={`${group.state} ${filtered}`}
            {...group}
            foldable={group.state === 'closed' && !filtered}
            onDone={onDone}
          />
        ))}
    </>
  )
}

function StateGroup({
  state,
  breakers,
  foldable,
  onDone,
}: {
  state: Breaker['state']
  breakers: Breaker[]
  foldable: boolean
  onDone: () => void
}) {
  const [open, { toggle }] = useDisclosure(!foldable)
  const word = BREAKER_STATES[state]?.word ?? state
  return (
    <Paper withBorder>
      <Group px="sm" py={6} gap="xs" justify="space-between">
        <Title order={2} fz="sm" fw={600} className="num">
          {breakers.length.toLocaleString('en')} {word.toLowerCase()}
        </Title>
        {foldable && (
          <Button
            size="compact-sm"
            variant="subtle"
            color="gray"
            aria-expanded={open}
            onClick={toggle}
            rightSection={open ? <ChevronDown size={14} /> : <ChevronRight size={14} />}
          >
            {open ? 'Hide' : 'Show'}
          </Button>
        )}
      </Group>
      {open && <BreakerTable breakers={breakers} label={`${word} breakers`} onDone={onDone} />}
    </Paper>
  )
}
