import { Anchor, Group, SimpleGrid, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { queries } from '../../api/queries'
import type { AboutAnswer } from '../../api/types'
import { CopyIcon } from '../../components/copyable'
import { Failed, Loading } from '../../components/empty'
import { Page } from '../../components/page'
import { Stale } from '../../components/stale'
import { useNow } from '../../components/use-now'
import { bytes, duration, utc } from '../../lib/format'
import { Clients } from './clients'
import { Facts } from './facts'

/** What runs here, where it keeps its data, and how clients reach it. */
export function About() {
  const query = useQuery(queries.about())
  return (
    <Page title="About">
      <Stale query={query} what="Facts" />
      {query.isPending && <Loading label="Loading" />}
      {query.isError && !query.data && (
        <Failed what="What runs here" error={query.error} onRetry={() => void query.refetch()} />
      )}
      {query.data && (
        <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="sm">
          <Program about={query.data} />
          <Data about={query.data} />
        </SimpleGrid>
      )}
      <Clients origin={location.origin} />
    </Page>
  )
}

const Program = ({ about }: { about: AboutAnswer }) => (
  <Facts
    title="Program"
    facts={[
      ['Version', about.version],
      ['Build', <Copied key="build" text={about.build} label="build" />],
      ['Python', about.python],
      ['Running for', <Uptime key="uptime" since={about.startedTime} />],
      ['Routing policy', about.policy],
      ['Settings', `environment variables that begin with ${about.variablePrefix.replace(/_?$/, '_')}`],
      [
        'Links',
        <Stack key="links" gap={0}>
          {about.links.map((link) => (
            <Anchor key={link.url} href={link.url} size="sm" inherit mih={24}>
              {link.label}
            </Anchor>
          ))}
        </Stack>,
      ],
    ]}
  />
)

const Data = ({ about }: { about: AboutAnswer }) => (
  <Facts
    title="Where it is"
    facts={[
      [
        about.addresses.length === 1 ? 'Address' : 'Addresses',
        about.addresses.map((address) => <Copied key={address} text={address} label={address} />),
      ],
      [
        'Admin access',
        about.access === 'token' ? 'with the token that is set' : 'from this machine only; no token is set',
      ],
      ['Data folder', <Copied key="folder" text={about.dataDir} label="data folder" />],
      ['Database', <Copied key="database" text={about.database.location} label="path of the database" />],
      ['Kind', `${about.database.kind}, schema ${about.database.schema}`],
      ['Size', bytes(about.database.size)],
    ]}
  />
)

const Copied = ({ text, label }: { text: string; label: string }) => (
  <Group gap={4} wrap="nowrap">
    <span className="mono">{text}</span>
    <CopyIcon text={text} label={label} />
  </Group>
)

function Uptime({ since }: { since: string }) {
  const now = useNow(1)
  return (
    <Text span inherit className="num" title={`since ${utc(since)}`}>
      {duration(Math.max(0, now - Date.parse(since) / 1000))}
    </Text>
  )
}
