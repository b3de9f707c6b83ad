import { screen, waitFor } from '@testing-library/react'
import { expect, it } from 'vitest'
import { show } from '../../test/render'
import { aServer } from '../../test/servers'
import { confirmDelete, confirmDisable } from './confirm'

it.each([
  ['Delete', confirmDelete],
  ['Disable', confirmDisable],
])('%s is not done by a key that is pressed too early', async (word, confirm) => {
  let done = 0
  const { user } = show(
    <button type="button" onClick={() => confirm(aServer(), () => done++)}>
      Ask
    </button>,
  )
  await user.click(await screen.findByRole('button', { name: 'Ask' }))
  await screen.findByRole('dialog', { name: `${word} gpu-1?` })
  await waitFor(() => expect(screen.getByRole('button', { name: 'Cancel' })).toHaveFocus())
  await user.keyboard('{Enter}')
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
  expect(done).toBe(0)
})
