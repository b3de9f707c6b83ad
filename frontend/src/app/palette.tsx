import '@mantine/spotlight/styles.css'
import { Spotlight, type SpotlightActionGroupData, spotlight } from '@mantine/spotlight'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { Boxes, Keyboard, Pause, Play, Plus, RefreshCw, Search, ServerCog } from 'lucide-react'
import { useEffect, useState } from 'react'
import { queries, useServers } from '../api/queries'
import type { ServerAnswer } from '../api/types'
import { useServerActions } from '../features/servers/actions'
import { nameOf } from '../features/servers/name'
import { places } from './nav'
import { ACTIONS, search } from './palette-search'

/** Everything that can be gone to by its name, and what is done to servers most. opened: changes whenever it is asked for. onKeys: to the list of keys, which no key leads to while letters are off. */
export default function Palette({ opened, onKeys }: { opened: number; onKeys: () => void }) {
  const navigate = useNavigate()
  const { data: servers = [] } = useServers()
  const { act } = useServerActions()
  const { data: fleet } = useQuery(queries.fleetModels())
  const [query, setQuery] = useState('')
  useEffect(() => {
    if (!opened) return
    setQuery('') // it may still be closing, with what was typed before
    spotlight.open()
  }, [opened])
  const actions: SpotlightActionGroupData[] = [
    {
      group: 'Pages',
      actions: places.map((place) => ({
        id: place.to,
        label: place.label,
        leftSection: <place.icon size={16} />,
        onClick: () => void navigate({ to: place.to }),
      })),
    },
    {
      group: 'Help',
      actions: [{ id: 'keys', label: 'Keys', leftSection: <Keyboard size={16} />, onClick: onKeys }],
    },
    {
      group: 'Servers',
      actions: servers.map((server) => ({
        id: `server ${server.id}`,
        label: nameOf(server),
        description: server.url,
        leftSection: <ServerCog size={16} />,
        onClick: () => void navigate({ to: '/servers/$id', params: { id: server.id } }),
      })),
    },
    {
      group: 'Models',
      actions: (fleet?.models ?? []).map((model) => ({
        id: `model ${model.name}`,
        label: model.name,
        leftSection: <Boxes size={16} />,
        onClick: () => void navigate({ to: '/models', search: { q: model.name } }),
      })),
    },
    {
      group: ACTIONS,
      actions: [
        {
          id: 'add server',
          label: 'Add server',
          leftSection: <Plus size={16} />,
          onClick: () => void navigate({ to: '/servers', search: { add: true } }),
        },
        ...servers.flatMap((server) => actionsOf(server, act)),
      ],
    },
  ]
  return (
    <Spotlight
      actions={actions}
      filter={search}
      query={query}
      onQueryChange={setQuery}
      shortcut={null}
      scrollable
      maxHeight={420}
      attributes={{ content: { 'aria-label': 'Search pages, servers and models' } }}
      nothingFound="Nothing found"
      searchProps={{
        placeholder: 'Go to…',
        leftSection: <Search size={16} />,
        'aria-label': 'Search pages, servers and models',
      }}
    />
  )
}

/** What needs no more than the name of the server. */
function actionsOf(server: ServerAnswer, act: ReturnType<typeof useServerActions>['act']) {
  const name = nameOf(server)
  const turn = server.draining ? 'resume' : 'drain'
  return [
    {
      id: `turn ${server.id}`,
      label: `${turn === 'drain' ? 'Drain' : 'Resume'} ${name}`,
      leftSection: turn === 'drain' ? <Pause size={16} /> : <Play size={16} />,
      onClick: () => act({ server, action: turn }),
    },
    {
      id: `check ${server.id}`,
      label: `Check ${name} now`,
      leftSection: <RefreshCw size={16} />,
      onClick: () => act({ server, action: 'check' }),
    },
  ]
}
