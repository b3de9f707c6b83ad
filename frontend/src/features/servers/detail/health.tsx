import { Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useMemo } from 'react'
import { queries } from '../../../api/queries'
import type { CheckAnswer, ServerAnswer } from '../../../api/types'
import { Chart } from '../../../components/chart'
import { Empty } from '../../../components/empty'
import { Heartbeat } from '../../../components/heartbeat'
import { Loaded } from '../../../components/loaded'
import { duration } from '../../../lib/format'
import { CheckLog } from './check-log'
import { answered } from './checks'
import { Facts } from './facts'
import { Section } from './section'

const SLOTS = 120

/** The checks of the last two hours. */
export function Health({ server }: { server: ServerAnswer }) {
  const query = useQuery(queries.serverHistory(server.id))
  const { refetch } = query
  // Another check was made: it is part of the history now.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the time of the check is what it waits for
  useEffect(() => {
    void refetch({ cancelRefetch: false })
  }, [server.lastCheckTime, refetch])
  return (
    <Loaded query={query} what="The history">
      {({ checks }) =>
        checks.length ? (
          <History checks={checks} />
        ) : (
          <Section title="Checks">
            <Empty title="No checks yet">The first one is made within seconds.</Empty>
          </Section>
        )
      }
    </Loaded>
  )
}

function History({ checks }: { checks: CheckAnswer[] }) {
  const times = useMemo(() => checks.map((check) => check.time), [checks])
  const series = useMemo(
    () => [{ label: 'Fastest answer', color: '--c1', values: checks.map((check) => check.seconds) }],
    [checks],
  )
  const share = answered(checks)
  return (
    <Stack gap="sm">
      <Section title="Checks" aside={`last ${checks.length}`} padded>
        <Stack gap="sm">
          <Heartbeat checks={checks} slots={SLOTS} wide />
          <Facts
            facts={[
              ['Answered', share.asked ? `${share.percent} (${share.answered} of ${share.asked})` : 'none was asked'],
              ['Median answer', duration(share.median)],
              ['Slowest answer', duration(share.slowest)],
              ['Last failed', share.lastFailed === null ? 'none of these' : share.lastFailed],
            ]}
          />
          <Text size="xs" c="dimmed">
            A full bar is a check that was answered, a lower one an answer that told of trouble, a short one a check
            that failed. A bar in two was answered while the server took no requests; flat is where no check was made,
            or nothing was sent as the settings are wrong. Newest on the right.
          </Text>
        </Stack>
      </Section>
      <Chart title="Response time of checks" times={times} series={series} tell={duration} atLeast={0.001} fill />
      <CheckLog checks={checks} />
    </Stack>
  )
}
