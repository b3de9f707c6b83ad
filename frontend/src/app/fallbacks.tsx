import { Button, Center } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { Compass, PlugZap } from 'lucide-react'
import { useEffect } from 'react'
import { ApiError } from '../api/client'
import { Empty } from '../components/empty'

export function Missing() {
  useTitle('There is no such page')
  return (
    <Center mih="60dvh" component="main">
      <Empty
        h1
        icon={<Compass size={36} />}
        title="There is no such page"
        action={<Button renderRoot={(props) => <Link to="/" {...props} />}>To the overview</Button>}
      >
        The address may be mistyped, or what it showed is gone.
      </Empty>
    </Center>
  )
}

/** A page that cannot be shown, for instance because the orchestrator is not reached. */
export function Broken({ error }: { error: unknown }) {
  useTitle('This page cannot be shown')
  return (
    <Center mih="60dvh" component="main">
      <Empty
        h1
        icon={<PlugZap size={36} />}
        title="This page cannot be shown"
        action={<Button onClick={() => location.reload()}>Try again</Button>}
      >
        {error instanceof ApiError ? error.message : 'Something went wrong in it, or it was renewed meanwhile.'}
      </Empty>
    </Center>
  )
}

const useTitle = (title: string) =>
  useEffect(() => {
    document.title = `${title} · Orchestrator`
  }, [title])
