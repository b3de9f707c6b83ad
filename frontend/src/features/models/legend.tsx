import { Group, Text } from '@mantine/core'
import styles from './models.module.css'
import { PlaceMark } from './place'
import { FAMILIES } from './select'

/** What the marks and letters mean. */
export const Legend = () => (
  <Group gap="4px 14px">
    <PlaceMark place={{ loaded: true }} />
    <PlaceMark place={{}} />
    <span className={styles.mark}>
      <PlaceMark place={{ denied: true }} /> by the server's lists
    </span>
    {FAMILIES.map(({ short, name }) => (
      <span key={short} className={styles.mark}>
        <span className={styles.badge}>{short}</span>
        <Text size="xs" span>
          {name}
        </Text>
      </span>
    ))}
  </Group>
)
