import { act, screen, waitFor } from '@testing-library/react'
import { afterEach, expect, it, vi } from 'vitest'
import { type Asked, answering, show } from '../../test/render'
import { SignIn } from './sign-in'

const SECRET = 'a-long-secret-token'
const session = (signedIn: boolean, required = true) => ({ json: { required, signedIn, expiresTime: null } })
const refused = (status: number, code: string, message: string, headers = {}) => ({
  status,
  json: { error: { code, message, field: status === 401 ? 'token' : null } },
  headers,
})

type Answer = { status?: number; json?: unknown; headers?: Record<string, string> }
function serving(post: Answer, get: Answer = session(false)): Asked[] {
  return answering({ 'GET /session': () => get, 'POST /session': () => post })
}
const field = () => screen.findByLabelText('Admin token')
const posted = (asked: Asked[]) => asked.filter(({ key }) => key === 'POST /session').map(({ body }) => body)

afterEach(() => void vi.useRealTimers())

it('sends the token and goes on to the page that was asked for', async () => {
  const asked = serving(session(true))
  const { user, router, client } = show(<SignIn />, { at: '/sign-in?next=%2Fservers%3Fstatus%3Ddown' })
  await user.type(await field(), `${SECRET}{Enter}`)
  await waitFor(() => expect(router.state.location.href).toBe('/servers?status=down'))
  expect(posted(asked)).toEqual([{ token: SECRET }])
  expect(client.getQueryData(['session'])).toMatchObject({ signedIn: true })
})

it('never goes on to another site', async () => {
  serving(session(true))
  const { user, router } = show(<SignIn />, { at: '/sign-in?next=%2F%2Fevil.example' })
  await user.type(await field(), `${SECRET}{Enter}`)
  await waitFor(() => expect(router.state.location.href).toBe('/'))
})

it('goes on at once where no token is needed', async () => {
  serving({}, session(true, false))
  const { router } = show(<SignIn />, { at: '/sign-in?next=%2Fmodels' })
  await waitFor(() => expect(router.state.location.href).toBe('/models'))
  expect(screen.queryByLabelText('Admin token')).toBeNull()
})

it('says what to do about a wrong token, on the field, and keeps nothing of it', async () => {
  serving(refused(401, 'wrong_token', 'this is not the token'))
  const { user } = show(<SignIn />, { at: '/sign-in' })
  await user.type(await field(), `${SECRET}{Enter}`)
  expect(await screen.findByText(/It is the value of ORCHESTRATOR_ADMIN_TOKEN/)).toBeVisible()
  const input = await field()
  expect(input).toBeInvalid()
  expect(input).toHaveFocus()
  expect(input).toHaveValue('')
  expect(document.documentElement.outerHTML).not.toContain(SECRET)
})

it('asks nobody about an empty token', async () => {
  const asked = serving(session(true))
  const { user } = show(<SignIn />, { at: '/sign-in' })
  await user.click(await screen.findByRole('button', { name: 'Sign in' }))
  expect(await screen.findByText('Enter the token')).toBeVisible()
  expect(await field()).toHaveFocus()
  expect(posted(asked)).toEqual([])
})

it('counts down the time to wait after too many wrong tries', async () => {
  serving(refused(429, 'too_many_tries', 'try again in 3 s', { 'retry-after': '3' }))
  const { user } = show(<SignIn />, { at: '/sign-in' })
  await user.type(await field(), SECRET)
  vi.useFakeTimers({ shouldAdvanceTime: true, toFake: ['Date', 'setInterval', 'clearInterval'] })
  await user.keyboard('{Enter}')
  expect(await screen.findByRole('button', { name: 'Wait 3 s' })).toBeDisabled()
  expect(screen.getByRole('alert')).toHaveTextContent('Too many wrong tries')
  await act(async () => void vi.advanceTimersByTime(1100))
  expect(screen.getByRole('button', { name: 'Wait 2 s' })).toBeDisabled()
  await act(async () => void vi.advanceTimersByTime(2000))
  expect(screen.getByRole('button', { name: 'Sign in' })).toBeEnabled()
  expect(screen.queryByRole('alert')).toBeNull()
})

it('shows any other refusal in its own words', async () => {
  serving(refused(403, 'forbidden', 'web pages of another origin may not use the admin API'))
  const { user } = show(<SignIn />, { at: '/sign-in' })
  await user.type(await field(), `${SECRET}{Enter}`)
  expect(await screen.findByRole('alert')).toHaveTextContent('web pages of another origin may not use the admin API')
})

it('hides the token until it is to be shown, and again once it is sent', async () => {
  serving(refused(401, 'wrong_token', 'no'))
  const { user } = show(<SignIn />, { at: '/sign-in' })
  const input = await field()
  expect(input).toHaveAttribute('type', 'password')
  await user.click(screen.getByRole('button', { name: 'Show token' }))
  expect(input).toHaveAttribute('type', 'text')
  await user.type(input, `${SECRET}{Enter}`)
  await waitFor(() => expect(input).toHaveAttribute('type', 'password'))
})

it('says so when the orchestrator does not answer, and tries again', async () => {
  let there = false
  answering({ 'GET /session': () => (there ? session(false) : { status: 404, json: {} }) })
  const { user } = show(<SignIn />, { at: '/sign-in' })
  expect(await screen.findByText('The sign-in could not be loaded')).toBeVisible()
  there = true
  await user.click(screen.getByRole('button', { name: 'Try again' }))
  expect(await field()).toBeVisible()
})
