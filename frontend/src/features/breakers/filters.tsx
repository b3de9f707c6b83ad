import { Select } from '@mantine/core'
import type { Names } from '../../api/server-names'
import { Filter } from '../../components/filter'
import { ServerChoice } from '../../components/server-choice'
import { BREAKER_STATES } from '../../components/status'
import type { BreakerSearch } from './select'

const STATES = Object.entries(BREAKER_STATES).map(([value, { word }]) => ({ value, label: word }))

export const BreakerFilters = ({
  search,
  onChange,
  names,
}: {
  search: BreakerSearch
  onChange: (change: BreakerSearch) => void
  names: Names
}) => (
  <>
    <div style={{ flex: '1 1 180px' }}>
      <Filter label="Filter breakers" value={search.q} onChange={(q) => onChange({ q })} />
    </div>
    <Select
      aria-label="State"
      placeholder="Any state"
      clearable
      clearButtonProps={{ 'aria-label': 'Any state' }}
      style={{ flex: '1 1 120px' }}
      data={STATES}
      value={search.state ?? null}
      onChange={(state) => onChange({ state: (state ?? undefined) as BreakerSearch['state'] })}
    />
    <ServerChoice names={names} value={search.server} onChange={(server) => onChange({ server })} />
  </>
)
