import { ActionIcon, Drawer, Group, Tooltip } from '@mantine/core'
import { useLocalStorage, useMediaQuery } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { ChevronDown, ChevronUp } from 'lucide-react'
import { useEffect, useState } from 'react'
import { ApiError } from '../../api/client'
import { queries } from '../../api/queries'
import type { Names } from '../../api/server-names'
import type { RequestAnswer } from '../../api/types'
import { Empty, Failed, Loading } from '../../components/empty'
import { isTyping } from '../../lib/typing'
import { Details } from './details'
import { neighbours } from './neighbours'

interface Props {
  id: string | undefined
  /** Of the list, if it is there: shown until all of it has been fetched. */
  row: RequestAnswer | undefined
  rows: readonly RequestAnswer[]
  names: Names
  onMove: (row: RequestAnswer) => void
  onClose: () => void
  /** When it is out of sight. */
  onClosed: () => void
}

/** All that is known of one request. J and K go to the next and the one before it in the list. */
export function RequestDrawer({ id, row, rows, names, onMove, onClose, onClosed }: Props) {
  const phone = useMediaQuery('(max-width: 40em)')
  const last = useLast(id)
  const { before, after } = neighbours(rows, row)
  useKeys(id !== undefined, { j: after, k: before }, onMove)
  return (
    <Drawer.Root
      opened={id !== undefined}
      onClose={onClose}
      onExitTransitionEnd={onClosed}
      returnFocus={false}
      position="right"
      size={phone ? '100%' : 620}
    >
      <Drawer.Overlay />
      <Drawer.Content>
        <Drawer.Header>
          <Group gap="xs" wrap="nowrap">
            {/* The title is the name of the dialog: the buttons are no part of it. */}
            <Drawer.Title fw={600}>Request</Drawer.Title>
            <Step label="Request before it (K)" to={before} onMove={onMove} icon={<ChevronUp size={16} />} />
            <Step label="Next request (J)" to={after} onMove={onMove} icon={<ChevronDown size={16} />} />
          </Group>
          <Drawer.CloseButton aria-label="Close" />
        </Drawer.Header>
        <Drawer.Body>{last !== undefined && <Content id={last} row={row} names={names} />}</Drawer.Body>
      </Drawer.Content>
    </Drawer.Root>
  )
}

function Step({
  label,
  to,
  onMove,
  icon,
}: {
  label: string
  to: RequestAnswer | undefined
  onMove: (row: RequestAnswer) => void
  icon: React.ReactNode
}) {
  return (
    <Tooltip label={label}>
      <ActionIcon variant="default" aria-label={label} disabled={!to} onClick={() => to && onMove(to)}>
        {icon}
      </ActionIcon>
    </Tooltip>
  )
}

function Content({ id, row, names }: { id: string; row: RequestAnswer | undefined; names: Names }) {
  const query = useQuery({ ...queries.request(id), gcTime: 60_000 })
  const request = query.data ?? (row?.id === id ? { ...row, headers: undefined } : undefined)
  if (request && !(query.error instanceof ApiError && query.error.status === 404 && !row))
    return <Details request={request} names={names} />
  if (query.isPending) return <Loading label="Loading the request" />
  if (query.error instanceof ApiError && query.error.status === 404)
    return (
      <Empty title="This request is not kept">
        It is none of the last 2,000 that ended: it is older than those, still in flight, or of before a restart.
      </Empty>
    )
  return <Failed what="The request" error={query.error} onRetry={() => void query.refetch()} />
}

/** What was there last, so that the content stays while the drawer slides away. */
function useLast(id: string | undefined): string | undefined {
  const [last, setLast] = useState(id)
  if (id !== undefined && id !== last) setLast(id)
  return last
}

function useKeys(
  on: boolean,
  to: { j: RequestAnswer | undefined; k: RequestAnswer | undefined },
  onMove: (row: RequestAnswer) => void,
) {
  const [letters] = useLocalStorage({ key: 'single-letter-keys', defaultValue: true })
  useEffect(() => {
    if (!on || !letters) return
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
      const row = event.key === 'j' ? to.j : event.key === 'k' ? to.k : undefined
      if (row) onMove(row)
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  })
}
