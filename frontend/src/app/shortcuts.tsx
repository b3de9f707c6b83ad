import { Kbd, Modal, Stack, Switch, Table, Text } from '@mantine/core'
import { useDisclosure, useLocalStorage } from '@mantine/hooks'
import { useNavigate } from '@tanstack/react-router'
import { lazy, Suspense, useEffect, useRef, useState } from 'react'
import { isTyping } from '../lib/typing'
import { places } from './nav'

const Palette = lazy(() => import('./palette'))
const SECOND_KEY_MS = 1500

/** The palette is opened from the header too. */
export const openPalette = () => window.dispatchEvent(new Event('open-palette'))

/** Ctrl K for the palette; and single letters, which can be switched off: g and a letter, / for the filter, ? for help. */
export function Shortcuts() {
  const [help, { open, close }] = useDisclosure()
  const [letters, setLetters] = useLocalStorage({ key: 'single-letter-keys', defaultValue: true })
  const palette = usePalette()
  useLetters(letters, open)
  return (
    <>
      {palette > 0 && (
        <Suspense fallback={null}>
          <Palette opened={palette} onKeys={open} />
        </Suspense>
      )}
      <Modal opened={help} onClose={close} title="Keys" closeButtonProps={{ 'aria-label': 'Close' }}>
        <Stack gap="sm">
          <Table>
            <Table.Tbody>
              <Key keys={['Ctrl', 'K']} does="Search pages, servers and models; drain or check a server" />
              <Key keys={['/']} does="To the filter of this page" />
              {places.map((place) => (
                <Key key={place.to} keys={['g', place.key]} does={place.label} />
              ))}
              <Key keys={['j']} does="Next request, while its details are open" />
              <Key keys={['k']} does="Request before it" />
              <Key keys={['Esc']} does="Close dialog or details" />
              <Key keys={['?']} does="This list" />
            </Table.Tbody>
          </Table>
          <Switch
            label="Keys of a single letter"
            description="When this is off, Ctrl K stays, and finds this list"
            checked={letters}
            onChange={(event) => setLetters(event.currentTarget.checked)}
          />
        </Stack>
      </Modal>
    </>
  )
}

function Key({ keys, does }: { keys: string[]; does: string }) {
  return (
    <Table.Tr>
      <Table.Td w={110}>
        {keys.map((key) => (
          <Kbd key={key} mr={4}>
            {key}
          </Kbd>
        ))}
      </Table.Td>
      <Table.Td>
        <Text size="sm">{does}</Text>
      </Table.Td>
    </Table.Tr>
  )
}

/** How often the palette was asked for; it is loaded at the first time. */
function usePalette(): number {
  const [asked, setAsked] = useState(0)
  useEffect(() => {
    const ask = () => setAsked((before) => before + 1)
    const onKey = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === 'k') {
        event.preventDefault()
        ask()
      }
    }
    window.addEventListener('open-palette', ask)
    window.addEventListener('keydown', onKey)
    return () => {
      window.removeEventListener('open-palette', ask)
      window.removeEventListener('keydown', onKey)
    }
  }, [])
  return asked
}

function useLetters(enabled: boolean, help: () => void) {
  const navigate = useNavigate()
  const goAt = useRef(0)
  useEffect(() => {
    if (!enabled) return
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
      if (document.querySelector('[role="dialog"]')) return
      const place =
        event.timeStamp - goAt.current < SECOND_KEY_MS ? places.find((one) => one.key === event.key) : undefined
      goAt.current = event.key === 'g' ? event.timeStamp : 0
      if (place) void navigate({ to: place.to })
      else if (event.key === '?') help()
      else if (event.key === '/') {
        const filter = document.querySelector<HTMLInputElement>('[data-filter]')
        filter?.focus()
        if (filter) event.preventDefault()
      }
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [enabled, navigate, help])
}
