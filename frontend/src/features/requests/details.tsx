import { Alert, Anchor, Box, Group, Stack, Text, Title } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { memo, type ReactNode } from 'react'
import type { Names } from '../../api/server-names'
import type { RequestAnswer, RequestDetail } from '../../api/types'
import { Copyable, CopyIcon } from '../../components/copyable'
import { clock, count, DASH, rate, utc } from '../../lib/format'
import { outcomeOf } from '../../lib/words'
import { Attempts } from './attempts'
import { Result } from './columns'
import { commandOf } from './command'
import { dialectOf, operationOf, tokensPerSecond } from './figures'
import { Headers } from './headers'
import { storyOf } from './story'
import { Timeline } from './timeline'

type Known = RequestAnswer & { headers: RequestDetail['headers'] | undefined }

/** headers: undefined until they were fetched. names: of servers by their ids. */
export const Details = memo(function Details({ request, names }: { request: Known; names: Names }) {
  const { failure, headers } = request
  const name = (id: string) => names[id] ?? id
  const story = storyOf(request, name)
  return (
    <Stack gap="md">
      <Group gap="sm">
        <Result row={request} />
        <Text size="sm" className="mono">
          POST {request.path}
        </Text>
      </Group>
      {failure && outcomeOf(failure).tone !== 'none' ? (
        <Alert color="red" variant="outline" p="xs" style={{ overflowWrap: 'anywhere' }}>
          {story}
        </Alert>
      ) : (
        <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
          {story}
        </Text>
      )}
      <Facts request={request} name={name} />
      <Section title="Timeline">
        <Timeline request={request} />
      </Section>
      {request.attempts.length > 0 && (
        <Section title="Tries">
          <Attempts request={request} name={name} />
        </Section>
      )}
      {headers !== undefined && (
        <>
          <Section title="Headers of the client">
            <Headers headers={headers} />
          </Section>
          <Section title="As a command">
            <Copyable label="command" text={commandOf({ ...request, headers }, location.origin)} />
          </Section>
        </>
      )}
    </Stack>
  )
})

const Section = ({ title, children }: { title: string; children: ReactNode }) => (
  <Box component="section">
    <Title order={3} fz="sm" fw={600} mb={6}>
      {title}
    </Title>
    {children}
  </Box>
)

function Facts({ request, name }: { request: RequestAnswer; name: (id: string) => string }) {
  const { id, model, server, dialect, operation, stream, client, time, promptTokens, completionTokens } = request
  return (
    <Box component="dl" m={0} fz="sm" className="num" style={GRID}>
      <Fact term="Model">
        {model ? (
          <Anchor
            size="sm"
            underline="always"
            renderRoot={(props) => <Link to="/models" search={{ q: model }} {...props} />}
          >
            {model}
          </Anchor>
        ) : (
          DASH
        )}
      </Fact>
      <Fact term="Server">
        {server ? (
          <Anchor
            size="sm"
            underline="always"
            renderRoot={(props) => <Link to="/servers/$id" params={{ id: server }} {...props} />}
          >
            {name(server)}
          </Anchor>
        ) : (
          DASH
        )}
      </Fact>
      <Fact term="Operation">
        {operationOf(operation)}, {dialectOf(dialect)}, {stream ? 'streamed' : 'in one piece'}
      </Fact>
      <Fact term="Client">{client || DASH}</Fact>
      <Fact term="Came at">
        {clock(time)} ({utc(time)})
      </Fact>
      <Fact term="Tokens in">{count(promptTokens)}</Fact>
      <Fact term="Tokens out">{count(completionTokens)}</Fact>
      <Fact term="Tokens/s">{rate(tokensPerSecond(request))}</Fact>
      <Fact term="Id">
        <Group gap={4} wrap="nowrap">
          <Text size="sm" span className="mono">
            {id}
          </Text>
          <CopyIcon text={id} label="id" />
        </Group>
      </Fact>
    </Box>
  )
}

const GRID = { display: 'grid', gridTemplateColumns: 'minmax(84px, auto) 1fr', gap: '4px 16px', alignItems: 'center' }

const Fact = ({ term, children }: { term: string; children: ReactNode }) => (
  <>
    <Text component="dt" size="xs" c="dimmed">
      {term}
    </Text>
    <dd style={{ margin: 0, minWidth: 0, overflowWrap: 'anywhere' }}>{children}</dd>
  </>
)
