import { ActionIcon, Group, Text, Tooltip, UnstyledButton } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { Activity, FlaskConical } from 'lucide-react'
import type { FleetModel } from '../../api/types'
import styles from './models.module.css'
import { factsOf } from './select'

/** A model's name, which opens its details, what is known of it, and ways to the pages about it. */
export const ModelName = ({
  model,
  onOpen,
  withSize,
}: {
  model: FleetModel
  onOpen: (name: string) => void
  withSize?: boolean
}) => (
  <>
    <Group gap={4} wrap="nowrap" justify="space-between" align="flex-start">
      <UnstyledButton className={styles.open} aria-haspopup="dialog" onClick={() => onOpen(model.name)}>
        {model.name}
      </UnstyledButton>
      <Group gap={0} wrap="nowrap">
        <Tooltip label="Try it in the playground">
          <ActionIcon
            variant="subtle"
            color="gray"
            size={24}
            aria-label={`Try ${model.name} in the playground`}
            renderRoot={(props) => <Link to="/playground" search={{ model: model.name }} {...props} />}
          >
            <FlaskConical size={14} />
          </ActionIcon>
        </Tooltip>
        <Tooltip label="Its requests">
          <ActionIcon
            variant="subtle"
            color="gray"
            size={24}
            aria-label={`Requests for ${model.name}`}
            renderRoot={(props) => <Link to="/requests" search={{ model: model.name }} {...props} />}
          >
            <Activity size={14} />
          </ActionIcon>
        </Tooltip>
      </Group>
    </Group>
    <Text size="xs" c="dimmed">
      {factsOf(model, withSize).join(' · ')}
    </Text>
    {!model.sameEverywhere && <Differs />}
  </>
)

/** Servers list the model with different digests. */
export const Differs = () => (
  <span className={styles.mark}>
    <span className="dot" data-tone="warn" aria-hidden="true" />
    Not the same on all servers
  </span>
)
