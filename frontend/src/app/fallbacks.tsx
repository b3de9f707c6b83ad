import { Button, Center } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { Compass, PlugZap } from 'lucide-react'
import { useEffect, useRef } from 'react'
import { ApiError } from '../api/client'
import { useLive } from '../api/live'
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
  const unloaded = isUnloaded(error)
  const title = unloaded ? 'The connection is missing' : 'This page cannot be shown'
  useTitle(title)
  useReloadWhenBack(unloaded)
  return (
    <Center mih="60dvh" component="main">
      <Empty
        h1
        icon={<PlugZap size={36} />}
        title={title}
        action={<Button onClick={() => location.reload()}>Try again</Button>}
      >
        {textOf(error, unloaded)}
      </Empty>
    </Center>
  )
}

function textOf(error: unknown, unloaded: boolean): string {
  if (error instanceof ApiError) return error.message
  if (unloaded) return 'This page was not loaded yet. It is shown as soon as the orchestrator is reached again.'
  return 'Something went wrong in it, or it was renewed meanwhile.'
}

/** What browsers say of a file of a page that they could not fetch. */
const UNLOADED = /dynamically imported module|importing a module script failed|unable to preload css/i
const isUnloaded = (error: unknown) =>
  error instanceof ApiError ? error.status === 0 : error instanceof Error && UNLOADED.test(error.message)

/** Only a stream that was lost comes back: a file that is missing for good would make the page reload for ever. */
function useReloadWhenBack(wanted: boolean) {
  const { state } = useLive()
  const lost = useRef(false)
  useEffect(() => {
    if (state === 'lost') lost.current = true
    else if (state === 'live' && wanted && lost.current) location.reload()
  }, [state, wanted])
  useEffect(() => {
    if (!wanted) return
    const reload = () => location.reload()
    window.addEventListener('online', reload)
    return () => window.removeEventListener('online', reload)
  }, [wanted])
}

const useTitle = (title: string) =>
  useEffect(() => {
    document.title = `${title} · Orchestrator`
  }, [title])
