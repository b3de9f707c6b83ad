import { screen } from '@testing-library/react'
import { expect, it } from 'vitest'
import { show } from '../test/render'
import { Copyable } from './copyable'

it('copies the text as it is and says so', async () => {
  const text = `curl 'http://x' \\\n  -d '{"a":1}'`
  const { user } = show(<Copyable text={text} label="curl command" />)
  expect((await screen.findByRole('region', { name: 'curl command' })).textContent).toBe(text)
  await user.click(screen.getByRole('button', { name: 'Copy curl command' }))
  expect(await screen.findByRole('button', { name: 'curl command copied' })).toBeInTheDocument()
  expect(await navigator.clipboard.readText()).toBe(text)
})

it('can be scrolled to with the keyboard', async () => {
  const { user } = show(<Copyable text="x" label="base URL" />)
  await screen.findByRole('region')
  await user.tab()
  expect(screen.getByRole('region', { name: 'base URL' })).toHaveFocus()
})

it('shows markup from outside as text', async () => {
  show(<Copyable text="<img src=x onerror=alert(1)>" label="model name" />)
  expect(await screen.findByText('<img src=x onerror=alert(1)>')).toBeInTheDocument()
  expect(document.querySelector('img')).toBeNull()
})
