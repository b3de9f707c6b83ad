import { Center, Paper, Title } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useRouter, useSearch } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { queries } from '../../api/queries'
import type { SessionAnswer } from '../../api/types'
import { Failed, Loading } from '../../components/empty'
import { nextOf } from './next'
import { TokenForm } from './token-form'

/** Exchanges the admin token for a session, then goes on to the page that was asked for. */
export function SignIn() {
  const client = useQueryClient()
  const session = useQuery({ ...queries.session(), staleTime: 0 })
  const signedIn = session.data?.signedIn === true && !session.isFetching
  useEffect(() => {
    document.title = 'Sign in · Orchestrator'
  }, [])
  useGoOn(signedIn)
  const onSignedIn = (answer: SessionAnswer) => client.setQueryData(queries.session().queryKey, answer)
  return (
    <Center mih="100dvh" p="md" component="main">
      <Paper withBorder p="xl" w="100%" maw={400}>
        <Title order={1} fz="lg" mb="md">
          Sign in to the orchestrator
        </Title>
        {session.data?.signedIn === false && <TokenForm onSignedIn={onSignedIn} />}
        {(session.isPending || session.data?.signedIn) && <Loading label="Asking whether a token is needed" rows={2} />}
        {session.isError && !session.data && (
          <Failed what="The sign-in" error={session.error} onRetry={() => void session.refetch()} />
        )}
      </Paper>
    </Center>
  )
}

/** To the page that was asked for, as soon as it may be shown. */
function useGoOn(signedIn: boolean) {
  // As it was asked for first: on the way there the search is that page's already.
  const asked = useSearch({ strict: false }).next
  const [next] = useState(() => nextOf(asked))
  const { history, basepath } = useRouter()
  useEffect(() => {
    if (signedIn) history.replace(`${basepath.replace(/\/$/, '')}${next}`)
  }, [signedIn, history, basepath, next])
}
