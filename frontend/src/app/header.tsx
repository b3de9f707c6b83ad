import {
  ActionIcon,
  Badge,
  Burger,
  Group,
  Menu,
  Text,
  Tooltip,
  useComputedColorScheme,
  useMantineColorScheme,
} from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { LogOut, Moon, Search, Sun, UserRound } from 'lucide-react'
import type { RefObject } from 'react'
import { api } from '../api/client'
import { type StreamState, useLive } from '../api/live'
import { queries } from '../api/queries'
import { forget } from './forget'
import { openPalette } from './shortcuts'

const STREAM: Record<StreamState, { word: string; tone: string; says: string }> = {
  live: { word: 'Live', tone: 'ok', says: 'Figures are up to the second' },
  connecting: { word: 'Connecting', tone: 'none', says: 'Opening the live stream' },
  paused: { word: 'Paused', tone: 'none', says: 'The live stream rests while nobody looks' },
  lost: { word: 'Reconnecting', tone: 'bad', says: 'The live stream broke; what you see may be old' },
}

interface Props {
  open: boolean
  onToggle: () => void
  /** The button of the navigation. */
  opener: RefObject<HTMLButtonElement | null>
}

export function Header({ open, onToggle, opener }: Props) {
  const { setColorScheme } = useMantineColorScheme()
  const scheme = useComputedColorScheme('light')
  const { state } = useLive()
  const stream = STREAM[state]
  return (
    <Group h="100%" px="md" justify="space-between" wrap="nowrap">
      <Group gap="sm" wrap="nowrap">
        <Burger
          ref={opener}
          opened={open}
          onClick={onToggle}
          hiddenFrom="sm"
          size="sm"
          aria-label={open ? 'Close navigation' : 'Open navigation'}
          aria-expanded={open}
        />
        <Text fw={650}>Orchestrator</Text>
      </Group>
      <Group gap={6} wrap="nowrap">
        <Tooltip label={stream.says}>
          <Badge
            variant="default"
            role="status"
            leftSection={<span className="dot" data-tone={stream.tone} aria-hidden="true" />}
          >
            {stream.word}
          </Badge>
        </Tooltip>
        <Tooltip label="Search (Ctrl K)">
          <ActionIcon variant="default" aria-label="Search" onClick={openPalette}>
            <Search size={16} />
          </ActionIcon>
        </Tooltip>
        <Tooltip label={scheme === 'dark' ? 'Light theme' : 'Dark theme'}>
          <ActionIcon
            variant="default"
            aria-label={scheme === 'dark' ? 'Use light theme' : 'Use dark theme'}
            onClick={() => setColorScheme(scheme === 'dark' ? 'light' : 'dark')}
          >
            {scheme === 'dark' ? <Sun size={16} /> : <Moon size={16} />}
          </ActionIcon>
        </Tooltip>
        <SessionMenu />
      </Group>
    </Group>
  )
}

/** Only where there is a session to end. */
function SessionMenu() {
  const { data: session } = useQuery(queries.session())
  const client = useQueryClient()
  const navigate = useNavigate()
  const signOut = useMutation({
    mutationFn: () => api('/session', { method: 'DELETE' }),
    onSuccess: () => forget(client, () => navigate({ to: '/sign-in' })),
    onError: (error) => notifications.show({ color: 'red', message: `Not signed out: ${error.message}` }),
  })
  if (!session?.required) return null
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="default" aria-label="Session">
          <UserRound size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<LogOut size={14} />} disabled={signOut.isPending} onClick={() => signOut.mutate()}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
