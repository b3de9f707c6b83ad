import { Paper, Text } from '@mantine/core'
import { memo, useRef } from 'react'
import type { FleetModel } from '../../api/types'
import styles from './models.module.css'
import { ModelName } from './name'
import { Places } from './place'
import { type ListProps, Unfold } from './table'
import { useVisibleInPage } from './use-visible'
import { Where } from './where'

/** The same as the table, for narrow screens. */
export function ModelCards({ models, expanded, ...props }: ListProps) {
  const list = useRef<HTMLUListElement>(null)
  const { indexes, before, after, measure } = useVisibleInPage(models.length, list, 150)
  return (
    <ul
      ref={list}
      className={styles.cards}
      aria-label="Models by server"
      style={{ paddingTop: before, paddingBottom: after }}
    >
      {indexes.map((index) => {
        const model = models[index]
        return (
          model && (
            <li key={model.name} ref={measure} data-index={index}>
              <Card model={model} expanded={expanded.has(model.name)} {...props} />
            </li>
          )
        )
      })}
    </ul>
  )
}

type CardProps = Omit<ListProps, 'models' | 'expanded'> & { model: FleetModel; expanded: boolean }

const Card = memo(function Card({ model, expanded, names, total, onToggle, onOpen }: CardProps) {
  return (
    <Paper withBorder p="sm">
      <ModelName model={model} onOpen={onOpen} withSize />
      <Text size="sm" className="num" component="div" mt={4}>
        <Unfold {...{ model, total, expanded, onToggle }} />
      </Text>
      <div style={{ marginTop: 4 }}>
        <Text size="xs" c="dimmed">
          Would go now to
        </Text>
        <Where model={model} names={names} />
      </div>
      {expanded && (
        <div style={{ marginTop: 8 }}>
          <Places model={model} names={names} />
        </div>
      )}
    </Paper>
  )
})
