import { Paper, Title } from '@mantine/core'
import { Fragment, type ReactNode, useId } from 'react'
import classes from './facts.module.css'

/** A titled list of names and values. */
export function Facts({
  title,
  facts,
}: {
  title: string
  facts: readonly (readonly [name: string, value: ReactNode])[]
}) {
  const id = useId()
  return (
    <Paper withBorder p="md" component="section" aria-labelledby={id}>
      <Title order={2} fz="sm" fw={600} mb="xs" id={id}>
        {title}
      </Title>
      <dl className={classes.facts}>
        {facts.map(([name, value]) => (
          <Fragment key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </Fragment>
        ))}
      </dl>
    </Paper>
  )
}
