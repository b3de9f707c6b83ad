import { act, screen } from '@testing-library/react'
import { useState } from 'react'
import { expect, it } from 'vitest'
import { show } from '../test/render'
import { Filter } from './filter'

/** A URL that follows only when it is told to. */
function lagging() {
  const told: (string | undefined)[] = []
  let set: (value: string | undefined) => void = () => {}
  function Page() {
    const [value, setValue] = useState<string | undefined>()
    set = setValue
    return <Filter label="Filter things" value={value} onChange={(next) => told.push(next)} />
  }
  return { Page, told, follow: (value: string | undefined) => act(() => set(value)) }
}

const field = () => screen.findByRole('textbox', { name: 'Filter things' })

it('keeps what is typed while the URL lags behind', async () => {
  const { Page, told, follow } = lagging()
  const { user } = show(<Page />)
  await user.type(await field(), 'abc')
  expect(told).toEqual(['a', 'ab', 'abc'])
  follow('a')
  expect(await field()).toHaveValue('abc')
  follow('abc')
  expect(await field()).toHaveValue('abc')
})

it('follows the URL when somebody else changes it', async () => {
  const { Page, follow } = lagging()
  const { user } = show(<Page />)
  await user.type(await field(), 'ab')
  follow('ab')
  follow('from elsewhere')
  expect(await field()).toHaveValue('from elsewhere')
  follow(undefined)
  expect(await field()).toHaveValue('')
})

it('follows the URL again after it was left, even if that never caught up', async () => {
  const { Page, follow } = lagging()
  const { user } = show(<Page />)
  await user.type(await field(), 'ab')
  await user.tab()
  follow('other')
  expect(await field()).toHaveValue('other')
})

it('is cleared by its button, which is there only when there is something to clear', async () => {
  const { Page, told } = lagging()
  const { user } = show(<Page />)
  await field()
  expect(screen.queryByRole('button', { name: 'Clear filter' })).toBeNull()
  await user.type(await field(), 'a')
  await user.click(screen.getByRole('button', { name: 'Clear filter' }))
  expect(told).toEqual(['a', undefined])
  expect(await field()).toHaveValue('')
})

it('is left by Escape', async () => {
  const { Page } = lagging()
  const { user } = show(<Page />)
  await user.click(await field())
  await user.keyboard('{Escape}')
  expect(await field()).not.toHaveFocus()
})
