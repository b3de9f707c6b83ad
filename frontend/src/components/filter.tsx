import { CloseButton, TextInput } from '@mantine/core'
import { Search } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'

/**
 * The filter of a list; `/` goes to it. The value lives in the URL, which follows what is typed a little later: until it
 * has caught up the field keeps what was typed, else letters would be lost.
 */
export function Filter({
  value,
  onChange,
  label,
}: {
  value: string | undefined
  onChange: (value: string | undefined) => void
  label: string
}) {
  const [text, setText] = useState(value ?? '')
  const awaited = useRef<string | null>(null)
  useEffect(() => {
    if (awaited.current === null) setText(value ?? '')
    else if (awaited.current === (value ?? '')) awaited.current = null
  }, [value])
  const change = (next: string) => {
    setText(next)
    awaited.current = next === (value ?? '') ? null : next
    onChange(next || undefined)
  }
  return (
    <TextInput
      data-filter
      aria-label={label}
      placeholder="Filter"
      leftSection={<Search size={14} />}
      rightSection={text ? <CloseButton size="sm" aria-label="Clear filter" onClick={() => change('')} /> : null}
      value={text}
      onChange={(event) => change(event.currentTarget.value)}
      onBlur={() => {
        awaited.current = null
      }}
      onKeyDown={(event) => {
        if (event.key === 'Escape') event.currentTarget.blur()
      }}
    />
  )
}
