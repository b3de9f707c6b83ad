import { Button, Drawer, Group, Stack, Text, Title } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { Link } from '@tanstack/react-router'
import { Activity, FlaskConical } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import type { Names } from '../../api/server-names'
import type { FleetModel } from '../../api/types'
import { Copyable } from '../../components/copyable'
import { accessOf } from './access'
import { Differs } from './name'
import { Places } from './place'
import { copiesWords, factsOf } from './select'
import { Where } from './where'

interface Props {
  /** Of the model to be shown, undefined: none is. */
  name: string | undefined
  models: readonly FleetModel[]
  names: Names
  total: number
  onClose: () => void
}

/** All about one model: where it is, where it would go, how to ask for it. */
export function ModelDetails({ name, models, names, total, onClose }: Props) {
  const phone = useMediaQuery('(max-width: 40em)')
  const [kept, setKept] = useState(name)
  if (name && name !== kept) setKept(name) // it is still seen while it closes
  const model = models.find((one) => one.name === kept)
  return (
    <Drawer
      opened={name !== undefined}
      onClose={onClose}
      position="right"
      size={phone ? '100%' : 'lg'}
      title={kept}
      closeButtonProps={{ 'aria-label': 'Close' }}
      styles={{ title: { fontWeight: 600, overflowWrap: 'anywhere' } }}
    >
      {model ? (
        <Content model={model} names={names} total={total} />
      ) : (
        <Text size="sm">No server lists this model now.</Text>
      )}
    </Drawer>
  )
}

const Content = ({ model, names, total }: { model: FleetModel; names: Names; total: number }) => (
  <Stack gap="lg">
    <Stack gap={6}>
      <Text size="sm" c="dimmed" className="num">
        {factsOf(model, true).join(' · ') || 'No details reported'}
      </Text>
      {!model.sameEverywhere && (
        <div>
          <Differs />
          <Text size="sm">
            Servers list it with different digests: answers may differ by server until all have the same version.
          </Text>
        </div>
      )}
      <Group gap="xs">
        <Button
          size="compact-sm"
          variant="default"
          leftSection={<FlaskConical size={14} />}
          renderRoot={(props) => <Link to="/playground" search={{ model: model.name }} {...props} />}
        >
          Playground
        </Button>
        <Button
          size="compact-sm"
          variant="default"
          leftSection={<Activity size={14} />}
          renderRoot={(props) => <Link to="/requests" search={{ model: model.name }} {...props} />}
        >
          Requests
        </Button>
      </Group>
    </Stack>
    <Part title="A request would go now to">
      <Where model={model} names={names} full />
    </Part>
    <Part title={`Servers: ${copiesWords(model, total).join(', ')}`}>
      <Places model={model} names={names} />
    </Part>
    <Part title="Access">
      <Line term="Model name">
        <Copyable text={model.name} label="Model name" />
      </Line>
      {accessOf(model, window.location.origin).map(({ family, name, baseUrl, command }) => (
        <Stack gap={8} key={family}>
          <Line term={`${name} base URL`}>
            <Copyable text={baseUrl} label={`${name} base URL`} />
          </Line>
          <Line term={`${name} with curl`}>
            <Copyable text={command} label={`${name} curl command`} />
          </Line>
        </Stack>
      ))}
    </Part>
  </Stack>
)

const Part = ({ title, children }: { title: string; children: ReactNode }) => (
  <Stack gap={8} component="section">
    <Title order={3} fz="sm" fw={600}>
      {title}
    </Title>
    {children}
  </Stack>
)

const Line = ({ term, children }: { term: string; children: ReactNode }) => (
  <div>
    <Text size="xs" c="dimmed" mb={2}>
      {term}
    </Text>
    {children}
  </div>
)
