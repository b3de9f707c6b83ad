import { Box, Group, Paper, Stack, Text } from '@mantine/core'
import type { ServerAnswer } from '../../../api/types'
import { Ago } from '../../../components/ago'
import { CopyIcon } from '../../../components/copyable'
import { ServerMark } from '../../../components/server-mark'
import { Capabilities } from '../../../components/status'
import { sentence } from '../../../lib/format'
import { Breakers, Draining, InFlight, order, Tags } from '../cells'
import { modelsText } from '../counts'
import { lastResponseText } from '../last-response'
import { Facts } from './facts'

/** What a server is and how it does, above the tabs. */
export const Head = ({ server }: { server: ServerAnswer }) => (
  <Paper withBorder p="sm">
    <Stack gap="sm">
      <Group gap="4px 16px">
        <ServerMark server={server} />
        {server.status === 'draining' ? <Draining server={server} /> : <Why server={server} />}
        <Capabilities server={server} />
        <Tags server={server} />
      </Group>
      <Group gap={4} wrap="nowrap">
        <Text size="sm" className="mono">
          {server.url}
        </Text>
        <CopyIcon text={server.url} label="base URL" />
      </Group>
      <Facts
        facts={[
          ['Id', server.id],
          ['Software', [server.kind, server.version].filter(Boolean).join(' ')],
          ['In flight', <InFlight key="" server={server} />],
          ['Last response', lastResponseText(server)],
          ['Last check', <Ago key="" time={server.lastCheckTime} />],
          ['Models', modelsText(server)],
          ['Breakers', <Breakers key="" server={server} />],
          ...(order(server) ? [['Routing', order(server)] as const] : []),
        ]}
      />
    </Stack>
  </Paper>
)

const Why = ({ server: { statusReason, status } }: { server: ServerAnswer }) =>
  statusReason && status !== 'healthy' ? (
    <Box maw={640}>
      <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
        {sentence(statusReason)}
      </Text>
    </Box>
  ) : null
