import { Box, Group, Text } from '@mantine/core'
import type { RequestAnswer } from '../../api/types'
import { Mark } from '../../components/status'
import { duration } from '../../lib/format'
import { outcomeOf } from '../../lib/words'
import { placeOf } from './timeline'
import classes from './timeline.module.css'

/** Each server that was asked, in order: how that ended, why, and when on the request's own time. */
export function Attempts({ request, name }: { request: RequestAnswer; name: (id: string) => string }) {
  return (
    <Box component="ol" m={0} p={0} style={{ listStyle: 'none', display: 'grid', gap: 10 }}>
      {request.attempts.map((attempt) => {
        const { server, outcome, reason, startedSeconds: from, endedSeconds: to } = attempt
        const { word, tone } = outcomeOf(outcome)
        return (
          <li key={`${server} ${from}`}>
            <Group gap="xs" justify="space-between">
              <Group gap="sm">
                <Text size="sm" fw={500}>
                  {name(server)}
                </Text>
                <Mark tone={tone} word={word} />
              </Group>
              <Text size="sm" className="num">
                {duration(to - from)}{' '}
                <Text span size="xs" c="dimmed">
                  from {duration(from)} to {duration(to)}
                </Text>
              </Text>
            </Group>
            {reason && (
              <Text size="sm" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
                {reason}
              </Text>
            )}
            <div className={classes.bar} style={{ height: 5, marginTop: 4 }} aria-hidden="true">
              <span style={{ ...placeOf({ from, to }, request.durationSeconds), background: 'var(--c6)' }} />
            </div>
          </li>
        )
      })}
    </Box>
  )
}
