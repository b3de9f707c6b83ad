import { SegmentedControl, Text } from '@mantine/core'
import { useMemo, useState } from 'react'
import type { CheckAnswer } from '../../../api/types'
import { columnsFor, DataTable } from '../../../components/data-table'
import { answerOf } from '../../../components/heartbeat'
import { StatusMark } from '../../../components/status'
import { clock, utc } from '../../../lib/format'
import { changes } from './checks'
import { Section } from './section'

const SHOWN = 50
const column = columnsFor<CheckAnswer>()

const columns = column.columns([
  column.accessor('time', {
    id: 'name',
    header: 'Time',
    cell: ({ getValue }) => (
      <Text size="sm" className="num" span title={utc(getValue())}>
        {clock(getValue())}
      </Text>
    ),
  }),
  column.accessor('status', { header: 'Status', cell: ({ getValue }) => <StatusMark status={getValue()} /> }),
  column.accessor((check) => check.seconds ?? undefined, {
    id: 'answer',
    header: 'Answer',
    sortUndefined: 'last',
    cell: ({ row: { original } }) => (
      <Text size="sm" className="num" span>
        {answerOf(original)}
      </Text>
    ),
  }),
  column.accessor('reason', {
    header: 'Reason',
    cell: ({ getValue }) =>
      getValue() && (
        <Text size="sm" span style={{ overflowWrap: 'anywhere' }}>
          {getValue()}
        </Text>
      ),
  }),
])

/** The checks one by one; at first only those after which something was another than before. */
export function CheckLog({ checks }: { checks: CheckAnswer[] }) {
  const [which, setWhich] = useState('changes')
  const all = useMemo(() => (which === 'changes' ? changes(checks) : checks.toReversed()), [checks, which])
  return (
    <Section
      title="Log of checks"
      aside={
        <SegmentedControl
          size="xs"
          aria-label="Which checks"
          data={[
            { value: 'changes', label: 'Changes' },
            { value: 'all', label: 'All' },
          ]}
          value={which}
          onChange={setWhich}
        />
      }
    >
      <DataTable label="Log of checks" columns={columns} data={all} rowId={idOf} minWidth={520} most={SHOWN} />
    </Section>
  )
}

const idOf = (check: CheckAnswer) => String(check.time)
