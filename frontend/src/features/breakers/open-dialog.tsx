import { Alert, Button, Group, Modal, Stack, Text } from '@mantine/core'
import { isNotEmpty, useForm } from '@mantine/form'
import { useMediaQuery } from '@mantine/hooks'
import { useServers } from '../../api/queries'
import type { Names } from '../../api/server-names'
import { effectOf } from '../../components/breaker-words'
import { Choice } from '../../components/choice'
import { useTurnBreaker } from '../../components/use-turn-breaker'

interface Props {
  opened: boolean
  onClose: () => void
  names: Names
}

/** Opens the breaker of a server, or of a model there that nothing failed for yet and that so has none in the list. */
export function OpenDialog({ opened, onClose, names }: Props) {
  const phone = useMediaQuery('(max-width: 40em)')
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title="Open a breaker"
      closeButtonProps={{ 'aria-label': 'Close' }}
      fullScreen={phone}
      styles={{ title: { fontWeight: 600 } }}
    >
      <Content names={names} onClose={onClose} />
    </Modal>
  )
}

function Content({ names, onClose }: Omit<Props, 'opened'>) {
  const { data: servers = [] } = useServers()
  const turn = useTurnBreaker(onClose)
  const form = useForm<{ server: string | null; model: string | null }>({
    initialValues: { server: null, model: null },
    validate: { server: isNotEmpty('Choose a server') },
  })
  const { server, model } = form.values
  const chosen = servers.find((one) => one.id === server)
  const models = [...new Set([...(chosen?.models ?? []), ...(chosen?.v1Models ?? [])])].sort()
  return (
    <form
      noValidate
      onSubmit={form.onSubmit(
        (values) =>
          turn.mutate({
            breaker: { server: values.server ?? '', model: values.model },
            action: 'open',
            serverName: names[values.server ?? ''],
          }),
        (errors) => Object.keys(errors)[0] && form.getInputNode('server')?.focus(),
      )}
    >
      <Stack gap="md">
        <Choice
          data-autofocus
          label="Server"
          required
          openOnFocus={false}
          data={Object.entries(names).map(([value, label]) => ({ value, label }))}
          {...form.getInputProps('server')}
          onChange={(value) => form.setValues({ server: value, model: null })}
        />
        <Choice
          label="Model"
          placeholder="All models, and the server itself"
          clearable
          clearButtonProps={{ 'aria-label': 'All models' }}
          openOnFocus={false}
          disabled={!chosen}
          data={models}
          {...form.getInputProps('model')}
        />
        <Text size="sm">{effectOf('open', { state: 'closed', model })}</Text>
        {turn.error && (
          <Alert color="red" variant="outline" title="Nothing was changed">
            {turn.error.message}
          </Alert>
        )}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" color="red.9" loading={turn.isPending}>
            Open breaker
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
