import { Group, Paper, Text, Title } from '@mantine/core'
import { type ReactNode, useId } from 'react'

/** A part of a page in a frame: its title, a word beside it, what it holds. */
export function Section({
  title,
  aside,
  children,
  padded = false,
}: {
  title: string
  aside?: ReactNode
  children: ReactNode
  padded?: boolean
}) {
  const id = useId()
  return (
    <Paper withBorder component="section" aria-labelledby={id} miw={0}>
      <Group justify="space-between" gap="xs" px="sm" pt="xs" pb={padded ? 0 : 4}>
        <Title order={2} fz="sm" fw={600} id={id}>
          {title}
        </Title>
        {aside && (
          <Text size="xs" c="dimmed" component="div" className="num">
            {aside}
          </Text>
        )}
      </Group>
      {padded ? <div style={{ padding: 12 }}>{children}</div> : children}
    </Paper>
  )
}
