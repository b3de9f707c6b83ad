import { Text } from '@mantine/core'
import type { ReactNode } from 'react'
import { DASH } from '../../../lib/format'
import styles from './facts.module.css'

/** Names and what they stand for, in as many columns as there is room for. Nothing known is a dash. */
export const Facts = ({ facts }: { facts: readonly (readonly [name: string, value: ReactNode])[] }) => (
  <dl className={styles.facts}>
    {facts.map(([name, value]) => (
      <div key={name} className={styles.fact}>
        <Text component="dt" size="xs" c="dimmed">
          {name}
        </Text>
        <Text component="dd" size="sm" m={0} className="num" style={{ overflowWrap: 'anywhere' }}>
          {value === '' || value === null ? DASH : value}
        </Text>
      </div>
    ))}
  </dl>
)
