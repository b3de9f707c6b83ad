import { Button, Tabs } from '@mantine/core'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { ServerOff } from 'lucide-react'
import { lazy, Suspense, useEffect, useRef } from 'react'
import { useServers } from '../../api/queries'
import type { ServerAnswer } from '../../api/types'
import { SERVER_TABS } from '../../app/router'
import { Empty, Loading } from '../../components/empty'
import { Loaded } from '../../components/loaded'
import { Page } from '../../components/page'
import { useServerActions } from './actions'
import { ServerBreakers } from './detail/breakers'
import { Configuration } from './detail/configuration'
import { Head } from './detail/head'
import { ServerModels } from './detail/models'
import { ServerRequests } from './detail/requests'
import { useServerDialogs } from './dialogs'
import { ServerMenu } from './menu'
import { nameOf } from './name'

/** With its chart, which no other tab has. */
const Health = lazy(async () => ({ default: (await import('./detail/health')).Health }))

export function ServerPage() {
  const { id } = useParams({ from: '/shell/servers/$id' })
  const query = useServers()
  const server = query.data?.find((one) => one.id === id)
  if (server) return <Known server={server} />
  return (
    <Page title={id}>
      <Loaded query={query} what="The server">
        {() => (
          <Empty
            icon={<ServerOff size={36} />}
            title={`There is no server ${id}`}
            action={<Button renderRoot={(props) => <Link to="/servers" {...props} />}>To the servers</Button>}
          >
            It was deleted, or never there.
          </Empty>
        )}
      </Loaded>
    </Page>
  )
}

const WORDS: Record<(typeof SERVER_TABS)[number], string> = {
  models: 'Models',
  health: 'Health',
  breakers: 'Breakers',
  requests: 'Requests',
  configuration: 'Configuration',
}

function Known({ server }: { server: ServerAnswer }) {
  const { tab = 'models', q } = useSearch({ from: '/shell/servers/$id' })
  const navigate = useNavigate({ from: '/servers/$id' })
  const { open, dialogs } = useServerDialogs()
  const { act, doing } = useServerActions()
  const tabs = useRef<HTMLDivElement>(null)
  // On a phone not all of them are seen at once.
  useEffect(() => {
    tabs.current?.querySelector(`[data-tab="${tab}"]`)?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }, [tab])
  const show = (next: string | null) => {
    const chosen = SERVER_TABS.find((one) => one === next)
    void navigate({ search: chosen && chosen !== 'models' ? { tab: chosen } : {}, replace: true })
  }
  return (
    <Page
      title={nameOf(server)}
      actions={
        <>
          <Button variant="default" loading={doing === 'check'} onClick={() => act({ server, action: 'check' })}>
            Check now
          </Button>
          <Button variant="default" onClick={() => open('edit', server.id)}>
            Edit
          </Button>
          <ServerMenu server={server} onOpen={open} onDelete={() => void navigate({ to: '/servers' })} />
        </>
      }
    >
      <Head server={server} />
      <Tabs value={tab} onChange={show} keepMounted={false} variant="default">
        <Tabs.List ref={tabs} mb="sm" style={{ flexWrap: 'nowrap', overflowX: 'auto', overflowY: 'hidden' }}>
          {SERVER_TABS.map((one) => (
            <Tabs.Tab key={one} value={one} data-tab={one}>
              {WORDS[one]}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="models">
          <ServerModels
            server={server}
            filter={q}
            onFilter={(next) => void navigate({ search: (old) => ({ ...old, q: next }), replace: true })}
            onManage={() => open('models', server.id)}
          />
        </Tabs.Panel>
        <Tabs.Panel value="health">
          <Suspense fallback={<Loading rows={5} label="Health: loading" />}>
            <Health server={server} />
          </Suspense>
        </Tabs.Panel>
        <Tabs.Panel value="breakers">
          <ServerBreakers server={server} />
        </Tabs.Panel>
        <Tabs.Panel value="requests">
          <ServerRequests server={server} />
        </Tabs.Panel>
        <Tabs.Panel value="configuration">
          <Configuration server={server} />
        </Tabs.Panel>
      </Tabs>
      {dialogs}
    </Page>
  )
}
