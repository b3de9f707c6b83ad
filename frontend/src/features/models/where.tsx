import type { Names } from '../../api/server-names'
import type { FleetModel, WhereNow } from '../../api/types'
import styles from './models.module.css'
import { Protocols } from './place'
import { destinations, whereText } from './select'

const toneOf = ({ reason, waits }: WhereNow) => (reason ? 'bad' : waits ? 'warn' : null)

/** Where a request would go now, by protocol. full: every server by its name and reasons at their whole length. */
export const Where = ({ model, names, full }: { model: FleetModel; names: Names; full?: boolean }) =>
  destinations(model).map(({ families, where }) => {
    const tone = toneOf(where)
    const nameOf = (id: string) => names[id] ?? id
    return (
      <div key={families[0]?.family} className={styles.line}>
        <Protocols families={families} />
        {tone && <span className="dot" data-tone={tone} aria-hidden="true" />}
        <span
          className={full ? styles.text : `${styles.text} ${styles.clamped}`}
          title={full ? undefined : whereText(where, nameOf, 100)}
        >
          {whereText(where, nameOf, full ? Number.POSITIVE_INFINITY : undefined)}
        </span>
      </div>
    )
  })
