import { Group, Paper, Text } from '@mantine/core'
import { Link, type LinkProps } from '@tanstack/react-router'
import { memo } from 'react'
import classes from './tile.module.css'

interface Props {
  label: string
  value: string
  /** Says in words what the mark says. */
  sub?: string
  tone?: string
  to: LinkProps['to']
  /** Must not change with every render. */
  search?: Record<string, unknown>
}

/** One figure, which links to the list behind it. */
export const Tile = memo(function Tile({ label, value, sub, tone, to, search }: Props) {
  return (
    <Paper
      withBorder
      className={classes.tile}
      renderRoot={(props) => <Link to={to} search={search as never} {...props} />}
    >
      <Text size="xs" c="dimmed" fw={500}>
        {label}
      </Text>
      <Group gap={8} align="center" wrap="nowrap">
        <span className={`${classes.value} num`}>{value}</span>
        {tone && <span className="dot" data-tone={tone} aria-hidden="true" />}
      </Group>
      <Text size="xs" c="dimmed" className="num" lineClamp={2} mih="1.2em" style={{ overflowWrap: 'anywhere' }}>
        {sub}
      </Text>
    </Paper>
  )
})
