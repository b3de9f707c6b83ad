import { Checkbox } from '@mantine/core'
import type { Names } from '../../api/server-names'
import { Filter } from '../../components/filter'
import { ServerChoice } from '../../components/server-choice'
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
    <ServerChoice names={names} value={search.server} onChange={(server) => onChange({ server })} />
    <Checkbox
      size="xs"
      label="In memory only"
      checked={search.loaded ?? false}
      onChange={(event) => onChange({ loaded: event.currentTarget.checked || undefined })}
    />
  </>
)
