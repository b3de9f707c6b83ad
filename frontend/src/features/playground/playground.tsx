import { Button, Paper, Stack } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Boxes } from 'lucide-react'
import { queries } from '../../api/queries'
import { Empty, Failed, Loading } from '../../components/empty'
import { Page } from '../../components/page'
import { Stale } from '../../components/stale'
import { Chat } from './chat'

/** Talking to any model of the fleet, as its clients do. */
export function Playground() {
  const query = useQuery(queries.fleetModels())
  const models = query.data?.models
  if (models?.length)
    return (
      <Stack gap="sm">
        <Stale query={query} what="Models" />
        <Chat models={models} />
      </Stack>
    )
  return (
    <Page title="Playground">
      <Paper withBorder>
        {models ? (
          <Empty
            icon={<Boxes size={36} />}
            title="No server has a model yet"
            action={<Button renderRoot={(props) => <Link to="/servers" {...props} />}>To the servers</Button>}
          >
            Here you can talk to any model of your servers. Add a server that has one, or see why yours show none.
          </Empty>
        ) : query.isError ? (
          <Failed what="Models" error={query.error} onRetry={() => void query.refetch()} />
        ) : (
          <Loading rows={6} label="Loading models" />
        )}
      </Paper>
    </Page>
  )
}
