import { Tabs } from '@mantine/core'
import { useLastPoint } from '../../api/metrics'
import { Page } from '../../components/page'
import { count } from '../../lib/format'
import { InFlight } from './in-flight'
import { Log } from './log'
import { NO_FILTERS, useRequestSearch } from './search'
import { useInFlightTotal } from './use-in-flight'

export function Requests() {
  const [{ view = 'log' }, change] = useRequestSearch()
  return (
    <Page title="Requests">
      <Tabs
        value={view}
        onChange={(tab) =>
          change(tab === 'inflight' ? { ...NO_FILTERS, view: 'inflight', id: undefined } : { view: undefined }, {
            replace: false,
          })
        }
        keepMounted={false}
      >
        <Tabs.List mb="sm">
          <Tabs.Tab value="log">Log</Tabs.Tab>
          <Tabs.Tab value="inflight">
            In flight
            <Count />
          </Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="log">
          <Log />
        </Tabs.Panel>
        <Tabs.Panel value="inflight">
          <InFlight />
        </Tabs.Panel>
      </Tabs>
    </Page>
  )
}

function Count() {
  const last = useLastPoint()?.inFlight
  const inFlight = useInFlightTotal() ?? last
  return inFlight === undefined ? null : ` (${count(inFlight)})`
}
