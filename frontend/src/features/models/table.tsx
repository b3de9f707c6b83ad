import { VisuallyHidden } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { ChevronDown, ChevronRight } from 'lucide-react'
import { memo, useRef } from 'react'
import type { Names } from '../../api/server-names'
import type { FleetModel } from '../../api/types'
import { bytes, DASH } from '../../lib/format'
import { Copies } from './copies'
import styles from './models.module.css'
import { ModelName } from './name'
import { PlaceMark, Places, Protocols } from './place'
import { protocolsOf } from './select'
import { useVisible } from './use-visible'
import { Where } from './where'

export interface ListProps {
  models: FleetModel[]
  names: Names
  /** How many servers there are. */
  total: number
  /** Names of models whose servers are shown. */
  expanded: ReadonlySet<string>
  onToggle: (name: string) => void
  onOpen: (name: string) => void
}

/** columns: ids of servers that get a column each; with none, a row unfolds to its servers. */
export function ModelTable({ models, columns, ...props }: ListProps & { columns: readonly string[] }) {
  const box = useRef<HTMLElement>(null)
  const { indexes, before, after, measure } = useVisible(models.length, box, 54)
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: whoever has no mouse scrolls it with the keys
    <section ref={box} className={styles.box} tabIndex={0} aria-label="Models by server">
      <table
        className={`${styles.table} ${columns.length ? styles.matrix : ''}`}
        aria-label="Models by server"
        aria-rowcount={models.length + 1}
      >
        <Heads columns={columns} names={props.names} />
        {before > 0 && <Gap height={before} />}
        {indexes.map((index) => {
          const model = models[index]
          return (
            model && (
              <Row
                key={model.name}
                model={model}
                index={index}
                measure={measure}
                columns={columns}
                names={props.names}
                total={props.total}
                expanded={props.expanded.has(model.name)}
                onToggle={props.onToggle}
                onOpen={props.onOpen}
              />
            )
          )
        })}
        {after > 0 && <Gap height={after} />}
      </table>
    </section>
  )
}

const Gap = ({ height }: { height: number }) => <tbody aria-hidden="true" style={{ display: 'block', height }} />

const Heads = memo(({ columns, names }: { columns: readonly string[]; names: Names }) => (
  <thead>
    <tr>
      <th scope="col" className={styles.name}>
        Model
      </th>
      <th scope="col">Size</th>
      <th scope="col">{columns.length ? 'Copies' : 'Servers'}</th>
      <th scope="col">Would go now to</th>
      {columns.map((id) => (
        <th key={id} scope="col" className={styles.server}>
          <Link className="link" to="/servers/$id" params={{ id }}>
            {names[id] ?? id}
          </Link>
        </th>
      ))}
    </tr>
  </thead>
))

interface RowProps extends Omit<ListProps, 'models' | 'expanded'> {
  model: FleetModel
  index: number
  measure: ((element: Element | null) => void) | undefined
  columns: readonly string[]
  expanded: boolean
}

const Row = memo(function Row({ model, index, measure, columns, names, total, expanded, onToggle, onOpen }: RowProps) {
  const matrix = columns.length > 0
  return (
    <tbody ref={measure} data-index={index}>
      <tr aria-rowindex={index + 2}>
        <th scope="row" className={styles.name}>
          <ModelName model={model} onOpen={onOpen} />
        </th>
        <td className={`num ${styles.size}`}>{bytes(model.size)}</td>
        <td className={`num ${styles.copies}`}>
          {matrix ? <Copies model={model} /> : <Unfold {...{ model, total, expanded, onToggle }} />}
        </td>
        <td className={styles.where}>
          <Where model={model} names={names} />
        </td>
        {columns.map((id) => (
          <Cell key={id} model={model} id={id} />
        ))}
      </tr>
      {!matrix && expanded && (
        <tr>
          <td colSpan={4}>
            <Places model={model} names={names} />
          </td>
        </tr>
      )}
    </tbody>
  )
})

/** On how many servers a model is; shows and hides which. */
export const Unfold = ({
  model,
  total,
  expanded,
  onToggle,
}: Pick<ListProps, 'total' | 'onToggle'> & { model: FleetModel; expanded: boolean }) => (
  <div className={styles.servers}>
    <button
      type="button"
      className={styles.unfold}
      aria-expanded={expanded}
      aria-label={`Servers that have ${model.name}`}
      onClick={() => onToggle(model.name)}
    >
      {expanded ? <ChevronDown size={14} /> : <ChevronRight size={14} />}
    </button>
    <span>
      <Copies model={model} of={total} />
    </span>
  </div>
)

function Cell({ model, id }: { model: FleetModel; id: string }) {
  const place = model.servers[id]
  if (!place)
    return (
      <td className={`${styles.server} ${styles.absent}`}>
        <span aria-hidden="true">{DASH}</span>
        <VisuallyHidden>Not there</VisuallyHidden>
      </td>
    )
  return (
    <td className={`${styles.server} ${place.loaded && !place.denied ? styles.loaded : ''}`}>
      <div className={styles.place}>
        <PlaceMark place={place} />
        <Protocols families={protocolsOf(place)} />
      </div>
    </td>
  )
}
