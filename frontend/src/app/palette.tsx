import '@mantine/spotlight/styles.css'
import { Spotlight, type SpotlightActionGroupData, spotlight } from '@mantine/spotlight'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { Boxes, Keyboard, Search, ServerCog } from 'lucide-react'
import { useEffect } from 'react'
import { queries, useServers } from '../api/queries'
import { places } from './nav'

/** Everything that can be gone to by its name. opened: changes whenever it is asked for. onKeys: to the list of keys, which no key leads to while letters are off. */
export default function Palette({ opened, onKeys }: { opened: number; onKeys: () => void }) {
  const navigate = useNavigate()
  const { data: servers = [] } = useServers()
  const { data: fleet } = useQuery(queries.fleetModels())
  useEffect(() => {
    if (opened) spotlight.open()
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
        label: server.name || server.id,
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
  ]
  return (
    <Spotlight
      actions={actions}
      limit={13}
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
