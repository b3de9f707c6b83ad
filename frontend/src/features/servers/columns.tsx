import { Text, VisuallyHidden } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import type { ServerAnswer } from '../../api/types'
import { Ago } from '../../components/ago'
import { columnsFor } from '../../components/data-table'
import { Capabilities, statusOf } from '../../components/status'
import { Breakers, InFlight, Name, Status } from './cells'
import { distinctModels, modelsText } from './counts'
import type { OpenDialog } from './dialogs'
import { LastResponse } from './last-response'
import { ServerMenu } from './menu'
import { nameOf } from './name'

const column = columnsFor<ServerAnswer>()

export const columnsOf = (onOpen: OpenDialog) =>
  column.columns([
    column.accessor(nameOf, { id: 'name', header: 'Server', cell: ({ row }) => <Name server={row.original} /> }),
    column.accessor((server) => severity(server.status), {
      id: 'status',
      header: 'Status',
      cell: ({ row }) => <Status server={row.original} />,
    }),
    column.accessor(({ supportsOllama, supportsV1 }) => Number(supportsOllama) * 2 + Number(supportsV1), {
      id: 'apis',
      header: 'APIs',
      cell: ({ row }) => <Capabilities server={row.original} />,
    }),
    column.accessor('inFlight', { header: 'In flight', cell: ({ row }) => <InFlight server={row.original} /> }),
    column.accessor((server) => server.lastResponseTime ?? undefined, {
      id: 'lastResponse',
      header: 'Last response',
      sortUndefined: 'last',
      cell: ({ row }) => <LastResponse server={row.original} />,
    }),
    column.accessor(distinctModels, {
      id: 'models',
      header: 'Models',
      cell: ({ row }) => (
        <Text
          size="sm"
          span
          className="link num"
          style={{ whiteSpace: 'nowrap' }}
          renderRoot={(props) => <Link to="/models" search={{ server: row.original.id }} {...props} />}
        >
          {modelsText(row.original)}
        </Text>
      ),
    }),
    column.accessor(({ breakers }) => breakers.open * 1000 + breakers.halfOpen, {
      id: 'breakers',
      header: 'Breakers',
      cell: ({ row }) => <Breakers server={row.original} />,
    }),
    column.accessor((server) => server.lastCheckTime ?? undefined, {
      id: 'lastCheck',
      header: 'Last check',
      sortUndefined: 'last',
      cell: ({ row }) => <Ago time={row.original.lastCheckTime} />,
    }),
    column.display({
      id: 'menu',
      header: () => <VisuallyHidden>Actions</VisuallyHidden>,
      cell: ({ row }) => <ServerMenu server={row.original} onOpen={onOpen} />,
    }),
  ])

const ORDER = ['none', 'ok', 'info', 'warn', 'bad']

/** What needs somebody first sorts highest. */
const severity = (status: string) => ORDER.indexOf(statusOf(status).tone)
