import { notifications } from '@mantine/notifications'
import { screen, waitFor, within } from '@testing-library/react'
import { afterEach, expect, it } from 'vitest'
import { type Breaker, told } from '../api/breakers'
import type { BreakerAnswer } from '../api/types'
import { aBreaker } from '../test/breakers'
import { answering, show } from '../test/render'
import { BreakerActions } from './breaker-actions'

afterEach(() => notifications.clean())

const open = aBreaker({ state: 'open', reason: 'answered 500', nextTrySeconds: 9 })
const names = () => screen.getAllByRole('button').map((button) => button.textContent)

const shown = async (breaker: BreakerAnswer, onDone = () => {}) => {
  const all = show(<BreakerActions breaker={told(breaker)} onDone={onDone} />)
  await screen.findAllByRole('button')
  all.client.setQueryData<Breaker[]>(['breakers'], [told(breaker), told(aBreaker({ server: 'gpu-2' }))])
  return all
}

it.each([
  ['closed', {}, ['Open', 'Reset']],
  ['open by itself', { state: 'open' }, ['Close', 'Hold open', 'Reset']],
  ['half-open', { state: 'half-open' }, ['Close', 'Open', 'Reset']],
  ['opened by an operator', { state: 'open', forced: true }, ['Close', 'Reset']],
] as const)('offers what has an effect on one that is %s', async (_, some, labels) => {
  await shown(aBreaker(some))
  expect(names()).toEqual(labels)
})

it('closes a breaker once that is confirmed, and puts the answer in its place', async () => {
  const asked = answering({
    'POST /breakers/gpu-1/llama3.2%3Alatest/close': () => ({ json: aBreaker({ reason: 'closed by an operator' }) }),
  })
  let done = 0
  const { user, client } = await shown(open, () => void done++)
  await user.click(screen.getByRole('button', { name: 'Close the breaker of llama3.2:latest on gpu-1' }))
  const dialog = await screen.findByRole('dialog', { name: 'Close the breaker of llama3.2:latest on gpu-1?' })
  expect(dialog).toHaveTextContent('Running requests are not touched.')
  expect(asked).toEqual([])
  await user.click(within(dialog).getByRole('button', { name: 'Close breaker' }))
  await waitFor(() => expect(done).toBe(1))
  expect(asked.map(({ key }) => key)).toEqual(['POST /breakers/gpu-1/llama3.2%3Alatest/close'])
  expect(client.getQueryData<Breaker[]>(['breakers'])?.map((one) => [one.server, one.state])).toEqual([
    ['gpu-1', 'closed'],
    ['gpu-2', 'closed'],
  ])
})

it('does to a server and all its models what was asked', async () => {
  const both = [aBreaker({ model: null, state: 'open', forced: true }), aBreaker({ state: 'open', forced: true })]
  answering({ 'POST /breakers/gpu-1/open': () => ({ json: both }) })
  const { user, client } = await shown(aBreaker({ model: null }))
  await user.click(screen.getByRole('button', { name: 'Open the breaker of gpu-1 and all its models' }))
  const dialog = await screen.findByRole('dialog')
  expect(dialog).toHaveTextContent('to the server itself and to each of its models')
  await waitFor(() => expect(within(dialog).getByRole('button', { name: 'Cancel' })).toHaveFocus())
  await user.click(within(dialog).getByRole('button', { name: 'Open breaker' }))
  await waitFor(() =>
    expect(
      client
        .getQueryData<Breaker[]>(['breakers'])
        ?.filter((one) => one.forced)
        .map((one) => one.model),
    ).toEqual([null, 'llama3.2:latest']),
  )
})

it('stays open and says so when nothing was changed', async () => {
  answering({
    'POST /breakers/gpu-1/llama3.2%3Alatest/reset': () => ({
      status: 404,
      json: { error: { code: 'unknown_server', message: 'there is no server gpu-1', field: null } },
    }),
  })
  const { user } = await shown(open)
  await user.click(screen.getByRole('button', { name: /^Reset/ }))
  const dialog = await screen.findByRole('dialog')
  await user.click(within(dialog).getByRole('button', { name: 'Reset breaker' }))
  expect(await within(dialog).findByRole('alert')).toHaveTextContent('there is no server gpu-1')
})

it('gives focus back to the button when it is cancelled, and tells the orchestrator nothing', async () => {
  const asked = answering({})
  const { user } = await shown(open)
  const opener = screen.getByRole('button', { name: /^Close/ })
  await user.click(opener)
  await user.click(within(await screen.findByRole('dialog')).getByRole('button', { name: 'Cancel' }))
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
  await waitFor(() => expect(opener).toHaveFocus())
  expect(asked).toEqual([])
})
