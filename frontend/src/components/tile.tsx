import { Group, Paper, Text } from '@mantine/core'
import { Link, type LinkProps } from '@tanstack/react-router'

/** One figure, which links to the list behind it. */
export const Tile = ({
  label,
  value,
  sub,
  tone,
  to,
  search,
}: {
  label: string
  value: string
  sub?: string
  tone?: string
  to: LinkProps['to']
  search?: Record<string, unknown>
}) => (
  <Paper
    withBorder
    px="md"
    py="sm"
    className="link"
    renderRoot={(props) => <Link to={to} search={search as never} {...props} />}
  >
    <Text size="xs" c="dimmed" fw={500}>
      {label}
    </Text>
    <Group gap={8} align="center" wrap="nowrap">
      <Text fz={24} lh={1.3} fw={650} className="num">
        {value}
      </Text>
      {tone && <span className="dot" data-tone={tone} aria-hidden="true" />}
    </Group>
    <Text size="xs" c="dimmed" className="num" lineClamp={2} mih="1.2em">
      {sub}
    </Text>
  </Paper>
)
