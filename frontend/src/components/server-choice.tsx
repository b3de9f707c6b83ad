import type { Names } from '../api/server-names'
import { Choice } from './choice'

interface Props {
  names: Names
  /** The id of a server; without one, all are meant. */
  value: string | undefined
  onChange: (server: string | undefined) => void
}

/** Narrows a list to what concerns one server. */
export const ServerChoice = ({ names, value, onChange }: Props) => (
  <Choice
    aria-label="Server"
    placeholder="Any server"
    clearable
    clearButtonProps={{ 'aria-label': 'Any server' }}
    style={{ flex: '1 1 150px' }}
    data={Object.entries(names).map(([id, label]) => ({ value: id, label }))}
    value={value ?? null}
    onChange={(server) => onChange(server ?? undefined)}
  />
)
