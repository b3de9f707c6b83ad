import { Paper, Text, Title } from '@mantine/core'
import { Fragment } from 'react'
import styles from './breakers.module.css'

const TERMS: [string, string][] = [
  ['Closed', 'The normal state: requests go through and failures are counted.'],
  [
    'Open',
    'It opens after 5 failures in a row, or when at least half of 20 or more requests of the last minute failed. Requests then go to other servers.',
  ],
  [
    'Half-open',
    'When the time is up, one request tries it. If that succeeds, the breaker closes; if not, it opens for twice as long: 5 s, 10 s, 20 s, at most 5 minutes. A server that says when to come back is taken at its word.',
  ],
]

/** How breakers work, in plain words. */
export const Explanation = () => (
  <Paper withBorder p="md" component="section" aria-labelledby="how-breakers-work">
    <Title order={2} fz="sm" id="how-breakers-work" mb="xs">
      How circuit breakers work
    </Title>
    <Text size="sm" mb="xs" className={styles.text}>
      A breaker keeps requests away from what keeps failing. Each server has one for itself, for when it cannot be
      reached, and one for each model that ever failed there: a broken model leaves the others alone.
    </Text>
    <dl className={`${styles.terms} ${styles.text}`}>
      {TERMS.map(([term, text]) => (
        <Fragment key={term}>
          <dt>{term}</dt>
          <dd>{text}</dd>
        </Fragment>
      ))}
    </dl>
    <Text size="sm" mt="xs" className={styles.text}>
      Breakers that opened by themselves never block the last server that could answer: it is asked all the same. One
      that an operator opened stays open until somebody closes it. After a restart all are closed.
    </Text>
  </Paper>
)
