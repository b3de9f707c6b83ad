import { Box, Text } from '@mantine/core'
import type { RequestAnswer } from '../../api/types'
import { duration } from '../../lib/format'
import { type Phase, phasesOf } from './figures'
import classes from './timeline.module.css'

/** What the time went into: a bar, and the same in text. */
export function Timeline({ request }: { request: RequestAnswer }) {
  const phases = phasesOf(request)
  const total = request.durationSeconds
  return (
    <>
      <div className={classes.bar} aria-hidden="true">
        {phases.map((phase) => (
          <span key={phase.name} style={{ ...placeOf(phase, total), background: `var(${phase.color})` }} />
        ))}
      </div>
      <Box component="ul" m={0} mt={6} p={0} fz="sm" className="num" style={{ listStyle: 'none' }}>
        {phases.map(({ name, color, from, to }) => (
          <li key={name} style={{ display: 'flex', gap: 8, alignItems: 'center' }}>
            <span aria-hidden="true" style={{ width: 10, height: 10, flex: 'none', background: `var(${color})` }} />
            <span style={{ flex: 1 }}>{name}</span>
            <span>{duration(to - from)}</span>
            <Text span size="xs" c="dimmed" w={92} ta="end">
              until {duration(to)}
            </Text>
          </li>
        ))}
      </Box>
    </>
  )
}

/** Where on a bar of `total` seconds. */
export function placeOf({ from, to }: Pick<Phase, 'from' | 'to'>, total: number) {
  const share = (seconds: number) => `${total > 0 ? Math.min(100, (100 * seconds) / total) : 0}%`
  return { left: share(from), width: total > 0 ? share(to - from) : '100%' }
}
