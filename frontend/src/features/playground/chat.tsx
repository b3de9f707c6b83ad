import { Button, Paper, Stack } from '@mantine/core'
import { Eraser } from 'lucide-react'
import { useEffect, useMemo, useState } from 'react'
import { useServerNames } from '../../api/server-names'
import type { FleetModel } from '../../api/types'
import { Page } from '../../components/page'
import { NO_OPTIONS, type Target } from './ask'
import { defaultModel, styleFor } from './choose'
import { Commands } from './commands'
import { Composer } from './composer'
import { Conversation, isBusy, useTurns } from './conversation'
import { OptionsPanel } from './options-panel'
import classes from './playground.module.css'
import { Targets } from './targets'
import { Turns } from './turns'
import { type PlaygroundSearch, usePlaygroundSearch } from './use-search'

/** models: of the fleet, at least one. */
export function Chat({ models }: { models: readonly FleetModel[] }) {
  const [search, change] = usePlaygroundSearch()
  const [options, setOptions] = useState(NO_OPTIONS)
  const [text, setText] = useState('')
  const [conversation] = useState(() => new Conversation())
  const targets = useTargets(models, search, options)
  const names = useServerNames()
  // What nobody looks at any more need not go on.
  useEffect(() => conversation.stop, [conversation])
  return (
    <Page title="Playground" actions={<Clear conversation={conversation} />}>
      <Targets models={models} targets={targets} server={search.server} onChange={change} names={names} />
      <div className={classes.panes}>
        <Paper withBorder className={classes.chat}>
          <Turns conversation={conversation} names={names} />
          <Composer conversation={conversation} targets={targets} text={text} onText={setText} />
        </Paper>
        <Paper withBorder p="sm">
          <Stack gap="md">
            <OptionsPanel
              options={options}
              onChange={setOptions}
              ollama={targets.some((target) => target.style === 'ollama')}
            />
            <Commands conversation={conversation} targets={targets} prompt={text} />
          </Stack>
        </Paper>
      </div>
    </Page>
  )
}

function useTargets(
  models: readonly FleetModel[],
  search: PlaygroundSearch,
  options: Target['options'],
): readonly Target[] {
  // Chosen once: what is in memory changes while one talks.
  const [first] = useState(() => defaultModel(models))
  const { model = first, with: other, style = 'ollama', server = null } = search
  return useMemo(
    () =>
      [model, other]
        .filter((name) => name !== undefined)
        .map((name) => {
          const found = models.find((one) => one.name === name)
          return { model: name, style: styleFor(found, style), server, options }
        }),
    [model, other, style, server, options, models],
  )
}

function Clear({ conversation }: { conversation: Conversation }) {
  const turns = useTurns(conversation)
  return (
    <Button
      variant="default"
      leftSection={<Eraser size={14} />}
      disabled={turns.length === 0}
      onClick={conversation.clear}
    >
      {isBusy(turns) ? 'Stop and clear' : 'Clear'}
    </Button>
  )
}
