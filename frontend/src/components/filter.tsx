import { CloseButton, TextInput } from '@mantine/core'
import { Search } from 'lucide-react'

/** The filter of a list; `/` goes to it. The value lives in the URL. */
export const Filter = ({
  value,
  onChange,
  label,
}: {
  value: string | undefined
  onChange: (value: string | undefined) => void
  label: string
}) => (
  <TextInput
    data-filter
    aria-label={label}
    placeholder="Filter"
    leftSection={<Search size={14} />}
    rightSection={
      value ? <CloseButton size="sm" aria-label="Clear filter" onClick={() => onChange(undefined)} /> : null
    }
    value={value ?? ''}
    onChange={(event) => onChange(event.currentTarget.value || undefined)}
    onKeyDown={(event) => {
      if (event.key === 'Escape') event.currentTarget.blur()
    }}
  />
)
