import { Button, Group, Text } from '@mantine/core'
import type { RequestAnswer } from '../../api/types'
import { count } from '../../lib/format'
import { KEPT, type Rows } from './tail'

/** How much of the log is shown, and what came too fast to be shown. */
export function Shown({
  rows,
  all,
  total,
  onAll,
  onClear,
}: {
  rows: readonly RequestAnswer[]
  all: Rows
  total: number | undefined
  onAll: () => void
  /** Where there are filters. */
  onClear: (() => void) | undefined
}) {
  if (total === undefined) return null
  const kept = all.rows.length >= KEPT ? `the last ${count(KEPT)}` : count(all.rows.length)
  return (
    <Group gap="xs" mih={24}>
      <Text size="xs" c="dimmed" className="num">
        {rows.length === all.rows.length ? `Showing ${kept}` : `Showing ${count(rows.length)} of ${kept}`}.
        {all.rows.length < KEPT && ` The last ${count(KEPT)} are kept.`}
      </Text>
      {onClear && (
        <Button size="compact-xs" variant="default" h={24} onClick={onClear}>
          Clear filters
        </Button>
      )}
      {all.dropped > 0 && (
        <>
          <Text size="xs" className="num">
            {count(all.dropped)} not shown: too many at once.
          </Text>
          <Button size="compact-xs" variant="default" h={24} onClick={onAll}>
            Fetch them
          </Button>
        </>
      )}
    </Group>
  )
}
