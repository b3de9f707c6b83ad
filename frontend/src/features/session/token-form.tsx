import { Alert, Button, PasswordInput, Stack } from '@mantine/core'
import { schemaResolver, useForm } from '@mantine/form'
import { useDisclosure } from '@mantine/hooks'
import { useRef, useState } from 'react'
import * as z from 'zod/mini'
import { ApiError, api } from '../../api/client'
import type { SessionAnswer } from '../../api/types'
import { useCountdown } from './use-countdown'

const schema = z.object({ token: z.string().check(z.minLength(1, 'Enter the token')) })
const WRONG = 'This is not the token. It is the value of ORCHESTRATOR_ADMIN_TOKEN where the orchestrator was started.'
const PAUSE = 'Too many wrong tries. Wait until the button is free again, then enter the right token.'
const PAUSE_SECONDS = 5

/** One field. The token leaves it in the moment that it is sent, whatever comes of it. */
export function TokenForm({ onSignedIn }: { onSignedIn: (session: SessionAnswer) => void }) {
  const [visible, { toggle, close: hide }] = useDisclosure()
  const [waitSeconds, wait] = useCountdown()
  const [busy, setBusy] = useState(false)
  const [failure, setFailure] = useState<string | null>(null)
  const input = useRef<HTMLInputElement>(null)
  const form = useForm({ initialValues: { token: '' }, validate: schemaResolver(schema, { sync: true }) })
  const signIn = async ({ token }: { token: string }) => {
    form.reset()
    hide()
    setFailure(null)
    setBusy(true)
    try {
      onSignedIn(await api<SessionAnswer>('/session', { method: 'POST', json: { token } }))
    } catch (error) {
      setBusy(false)
      input.current?.focus()
      if (!(error instanceof ApiError)) setFailure('Something went wrong in this page. Reload it and try again.')
      else if (error.status === 401) form.setFieldError('token', WRONG)
      else if (error.status !== 429) setFailure(error.message)
      else wait(error.retryAfterSeconds ?? PAUSE_SECONDS)
    }
  }
  return (
    <form onSubmit={form.onSubmit(signIn, () => input.current?.focus())} noValidate>
      <Stack>
        {failure && (
          <Alert color="red" variant="outline" role="alert" title="Not signed in">
            {failure}
          </Alert>
        )}
        {waitSeconds > 0 && (
          <Alert color="orange" variant="outline" role="alert">
            {PAUSE}
          </Alert>
        )}
        <PasswordInput
          ref={input}
          label="Admin token"
          name="token"
          autoComplete="current-password"
          autoFocus
          visible={visible}
          onVisibilityChange={toggle}
          visibilityToggleFocusable
          visibilityToggleButtonProps={{ 'aria-label': 'Show token' }}
          {...form.getInputProps('token')}
          aria-invalid={form.errors.token ? true : undefined}
        />
        <Button type="submit" loading={busy} disabled={waitSeconds > 0} className="num">
          {waitSeconds > 0 ? `Wait ${waitSeconds} s` : 'Sign in'}
        </Button>
      </Stack>
    </form>
  )
}
