import { Checkbox, Select } from '@mantine/core'
import type { Names } from '../../api/server-names'
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
    <Checkbox
      size="xs"
      label="In memory only"
      checked={search.loaded ?? false}
      onChange={(event) => onChange({ loaded: event.currentTarget.checked || undefined })}
    />
    <Select
      aria-label="Server"
      placeholder="Any server"
      clearable
      clearButtonProps={{ 'aria-label': 'Any server' }}
      searchable
      limit={100}
      w={180}
      data={Object.entries(names).map(([value, label]) => ({ value, label }))}
      value={search.server ?? null}
      onChange={(server) => onChange({ server: server ?? undefined })}
    />
    <Filter label="Filter models" value={search.q} onChange={(q) => onChange({ q })} />
  </>
)
