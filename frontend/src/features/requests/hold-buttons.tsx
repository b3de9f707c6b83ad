import { Button, Group } from '@mantine/core'
import { Pause, Play } from 'lucide-react'
import { count } from '../../lib/format'

interface Props {
  /** How many have come since the log is held. */
  fresh: number
  paused: boolean
  onPause: (paused: boolean) => void
  onShow: () => void
}

export const HoldButtons = ({ fresh, paused, onPause, onShow }: Props) => (
  <Group gap="xs">
    {fresh > 0 && (
      <Button variant="light" onClick={onShow}>
        {count(fresh)} new, show
      </Button>
    )}
    <Button
      variant="default"
      leftSection={paused ? <Play size={14} /> : <Pause size={14} />}
      onClick={() => onPause(!paused)}
    >
      {paused ? 'Resume' : 'Pause'}
    </Button>
  </Group>
)
