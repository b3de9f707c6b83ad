import { Checkbox } from '@mantine/core'
import type { Names } from '../../api/server-names'
import { Choice } from '../../components/choice'
import { Filter } from '../../components/filter'
import type { ModelSearch } from './select'

export const ModelFilters = ({
  search,
  onChange,
  names,
}: {
  search: ModelSearch
  onChange: (change: ModelSearch) => void
  names: Names
}) => (
  <>
    <div style={{ flex: '1 1 180px' }}>
      <Filter label="Filter models" value={search.q} onChange={(q) => onChange({ q })} />
    </div>
    <Choice
      aria-label="Server"
      placeholder="Any server"
      clearable
      clearButtonProps={{ 'aria-label': 'Any server' }}
      style={{ flex: '1 1 150px' }}
      data={Object.entries(names).map(([value, label]) => ({ value, label }))}
      value={search.server ?? null}
      onChange={(server) => onChange({ server: server ?? undefined })}
    />
    <Checkbox
      size="xs"
      label="In memory only"
      checked={search.loaded ?? false}
      onChange={(event) => onChange({ loaded: event.currentTarget.checked || undefined })}
    />
  </>
)
