import { type ComboboxItem, type ComboboxParsedItem, type OptionsFilter, Select, type SelectProps } from '@mantine/core'
import { useMemo } from 'react'

const MOST = 200

interface Props extends Omit<SelectProps, 'data' | 'filter' | 'limit'> {
  data: readonly (string | ComboboxItem)[]
}

/** A list to choose from, also by typing: Enter takes the first match, and of very many it says how many are left out. */
export function Choice({ data, value, searchable = true, ...rest }: Props) {
  const ordered = useMemo(() => (searchable ? chosenFirst(data, value) : [...data]), [data, value, searchable])
  return (
    <Select
      allowDeselect={false}
      searchable={searchable}
      selectFirstOptionOnChange={searchable}
      filter={narrowed}
      data={ordered}
      {...(value !== undefined && { value })}
      {...rest}
    />
  )
}

/** Where nothing or just the name of what is chosen was typed, Enter keeps that. */
function chosenFirst(data: Props['data'], value: Props['value']): (string | ComboboxItem)[] {
  const isChosen = (one: string | ComboboxItem) => (typeof one === 'string' ? one : one.value) === value
  return [...data.filter(isChosen), ...data.filter((one) => !isChosen(one))]
}

export const narrowed: OptionsFilter = ({ options, search }) => {
  const text = search.trim().toLowerCase()
  const found = options.filter((one: ComboboxParsedItem) => 'label' in one && one.label.toLowerCase().includes(text))
  const more = found.length - MOST
  if (more <= 0) return found
  const says = `${more.toLocaleString('en')} more: type to narrow`
  return [...found.slice(0, MOST), { value: `\0${more}`, label: says, disabled: true }]
}
