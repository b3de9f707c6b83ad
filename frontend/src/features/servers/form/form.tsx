import { Alert, Button, Group, SimpleGrid, Stack } from '@mantine/core'
import { ChevronDown, ChevronRight } from 'lucide-react'
import { useId, useRef, useState } from 'react'
import { useServers } from '../../../api/queries'
import type { ServerAnswer } from '../../../api/types'
import { Advanced } from './advanced'
import { Basics } from './basics'
import { Connection } from './connection'
import { isAdvanced, pathsOf, useFirstWrong } from './errors'
import { KeyField } from './key-field'
import { Limits } from './limits'
import { useSave } from './use-save'
import { useServerForm } from './use-server-form'
import { useTrial } from './use-trial'
import { trialOf } from './values'

/** onDone: it was saved, or given up. */
export function ServerForm({ server, onDone }: { server?: ServerAnswer; onDone: () => void }) {
  const { data: servers = [] } = useServers()
  const box = useRef<HTMLFormElement>(null)
  const advancedId = useId()
  const [advanced, setAdvanced] = useState(false)
  const form = useServerForm(server)
  const goTo = useFirstWrong(box)
  const showErrors = (errors: Record<string, unknown>) => {
    if (pathsOf(errors).some(isAdvanced)) setAdvanced(true)
    goTo(pathsOf(errors))
  }
  const refused = (errors: Record<string, string>) => {
    form.setErrors(errors)
    showErrors(errors)
  }
  const trial = useTrial(refused)
  const found = trial.data ?? server
  const save = useSave(server, onDone, refused)
  return (
    <form ref={box} onSubmit={form.onSubmit((values) => save.mutate(values), showErrors)} noValidate>
      <Stack gap="sm">
        <Basics form={form} taken={servers.map((one) => one.id)} isNew={!server} />
        <KeyField form={form} {...(server && { server })} found={found} />
        <Limits form={form} />
        <div>
          <Button
            variant="subtle"
            color="gray"
            size="compact-sm"
            ml={-8}
            mih={24}
            aria-expanded={advanced}
            aria-controls={advancedId}
            leftSection={advanced ? <ChevronDown size={14} /> : <ChevronRight size={14} />}
            onClick={() => setAdvanced(!advanced)}
          >
            Advanced
          </Button>
          <div id={advancedId}>{advanced && <Advanced form={form} found={found} />}</div>
        </div>
        <Connection trial={trial} wanted={trialOf(form.values, server?.id ?? null)} />
        {save.problem && (
          <Alert color="red" variant="outline" title="Nothing was saved">
            {save.problem}
          </Alert>
        )}
        <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="xs">
          <TestButton trial={trial} onTest={() => trial.run(form.values, server?.id ?? null)} />
          <Group justify="flex-end" gap="xs" wrap="nowrap">
            <Button variant="default" onClick={onDone}>
              Cancel
            </Button>
            <Button type="submit" loading={save.isPending}>
              {server ? 'Save' : 'Add server'}
            </Button>
          </Group>
        </SimpleGrid>
      </Stack>
    </form>
  )
}

const TestButton = ({ trial, onTest }: { trial: ReturnType<typeof useTrial>; onTest: () => void }) => (
  <Group gap="xs">
    {trial.isPending ? (
      <Button variant="default" onClick={trial.cancel}>
        Stop the test
      </Button>
    ) : (
      <Button variant="default" onClick={onTest}>
        Test connection
      </Button>
    )}
  </Group>
)
