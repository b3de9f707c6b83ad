import { Button, Stack, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { ServerCog } from 'lucide-react'
import { Copyable } from '../../components/copyable'
import { Empty } from '../../components/empty'

const ADD = { add: true as const }

/** What to do while there is no server: add one, then point clients here. */
export const FirstRun = () => (
  <Empty
    icon={<ServerCog size={40} />}
    title="Connect your first LLM server"
    action={<Button renderRoot={(props) => <Link to="/servers" search={ADD} {...props} />}>Add server</Button>}
  >
    <Stack gap="xs" mb="xs">
      <Text size="sm">
        Add an Ollama or OpenAI-compatible server. After that, point any client at this address, by the protocol that it
        speaks:
      </Text>
      <Address label="Ollama base URL" text={location.origin} />
      <Address label="OpenAI base URL" text={`${location.origin}/v1`} />
    </Stack>
  </Empty>
)

const Address = ({ label, text }: { label: string; text: string }) => (
  <div>
    <Text size="xs" ta="left" mb={2}>
      {label}
    </Text>
    <Copyable label={label} text={text} />
  </div>
)
