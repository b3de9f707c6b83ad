import { useQuery } from '@tanstack/react-query'
import { useSearch } from '@tanstack/react-router'
import { queries } from '../../api/queries'
import type { ServerAnswer } from '../../api/types'
import { Page } from '../../components/page'
import { Events } from './events'
import { FirstRun } from './first-run'
import { Fleet } from './fleet'
import { History } from './history'
import { RangeChoice } from './range-choice'
import { LIVE } from './ranges'
import { Tiles } from './tiles'

const isEmpty = (servers: ServerAnswer[]) => servers.length === 0

/** Is the fleet healthy, is anything waiting, who is slow, what fails. Each part follows what it shows by itself. */
export function Overview() {
  const empty = useQuery({ ...queries.servers(), select: isEmpty }).data
  const range = useSearch({ strict: false }).range ?? LIVE
  if (empty)
    return (
      <Page title="Overview">
        <FirstRun />
      </Page>
    )
  return (
    <Page title="Overview" actions={<RangeChoice range={range} />}>
      <Tiles />
      <History range={range} />
      <Fleet range={range} />
      <Events />
    </Page>
  )
}
