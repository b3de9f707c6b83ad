import { AppShell, NavLink, Stack, Text } from '@mantine/core'
import { useDisclosure, useMediaQuery } from '@mantine/hooks'
import { useQueryClient } from '@tanstack/react-query'
import { Link, Outlet, useNavigate, useRouter, useRouterState } from '@tanstack/react-router'
import { useEffect, useLayoutEffect, useRef } from 'react'
import { live } from '../api/live'
import { connect } from '../api/patch'
import { Announcer } from './announcer'
import { Banner } from './banner'
import { forget } from './forget'
import { Header } from './header'
import { groups, isAt } from './nav'
import { Shortcuts } from './shortcuts'

/** Side bar, header and the live stream around every page that needs a session. */
export function Shell() {
  const [open, { toggle, close }] = useDisclosure()
  const path = useRouterState({ select: (state) => state.location.pathname })
  // Where the navigation covers the page.
  const narrow = useMediaQuery('(width < 48em)')
  const opener = useRef<HTMLButtonElement>(null)
  useEscape(open && narrow === true, () => {
    close()
    opener.current?.focus()
  })
  useStream()
  return (
    <AppShell
      header={{ height: 48 }}
      navbar={{ width: 208, breakpoint: 'sm', collapsed: { mobile: !open } }}
      padding="md"
    >
      <a href="#main" className="skip">
        Skip to content
      </a>
      <AppShell.Header>
        <Header open={open} onToggle={toggle} opener={opener} />
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label="Main" mod={{ shut: !open }} style={{ overflowY: 'auto' }}>
        <Stack gap="md">
          {groups.map((group) => (
            <div key={group.label}>
              <Text size="xs" c="dimmed" fw={600} px="xs" mb={4}>
                {group.label}
              </Text>
              {group.places.map((place) => (
                <NavLink
                  key={place.to}
                  renderRoot={(props) => <Link to={place.to} {...props} />}
                  label={place.label}
                  active={isAt(place, path)}
                  aria-current={isAt(place, path) ? 'page' : undefined}
                  leftSection={<place.icon size={16} />}
                  onClick={close}
                  py={6}
                  style={{ borderRadius: 4 }}
                />
              ))}
            </div>
          ))}
        </Stack>
      </AppShell.Navbar>
      <AppShell.Main id="main" tabIndex={-1} inert={open && narrow} style={{ outline: 'none' }}>
        <Banner />
        <Outlet />
      </AppShell.Main>
      <Shortcuts />
      <Announcer />
    </AppShell>
  )
}

/** What Escape does while `active`, unless a dialog is open, which it is for then. */
function useEscape(active: boolean, does: () => void) {
  useEffect(() => {
    if (!active) return
    const onKey = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && !document.querySelector('[role="dialog"]')) does()
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [active, does])
}

/** The live stream, as long as the shell is there; to the sign-in page when the session has ended. */
function useStream() {
  const client = useQueryClient()
  const navigate = useNavigate()
  const router = useRouter()
  // Before any page asks for what the stream keeps fresh.
  useLayoutEffect(() => {
    const disconnect = connect(live, client)
    const stop = live.start()
    let leaving = false
    const onSignedOut = async () => {
      // Every query that is refused says so.
      if (leaving) return
      leaving = true
      stop()
      await forget(client, () => navigate({ to: '/sign-in', search: { next: router.state.location.href } }))
    }
    window.addEventListener('signed-out', onSignedOut)
    return () => {
      window.removeEventListener('signed-out', onSignedOut)
      stop()
      disconnect()
    }
  }, [client, navigate, router])
}
