import { Link } from '@tanstack/react-router'
import { Activity, FlaskConical } from 'lucide-react'
import type { FleetModel } from '../../api/types'
import styles from './models.module.css'
import { factsOf } from './select'

/** A model's name, which opens its details, what is known of it, and ways to the pages about it. */
export const ModelName = ({
  model,
  onOpen,
  withSize,
}: {
  model: FleetModel
  onOpen: (name: string) => void
  withSize?: boolean
}) => (
  <>
    <div className={styles.head}>
      <button type="button" className={styles.open} aria-haspopup="dialog" onClick={() => onOpen(model.name)}>
        {model.name}
      </button>
      <Link
        className={styles.icon}
        to="/playground"
        search={{ model: model.name }}
        title="Try it in the playground"
        aria-label={`Try ${model.name} in the playground`}
      >
        <FlaskConical size={14} />
      </Link>
      <Link
        className={styles.icon}
        to="/requests"
        search={{ model: model.name }}
        title="Its requests"
        aria-label={`Requests for ${model.name}`}
      >
        <Activity size={14} />
      </Link>
    </div>
    <div className={styles.facts}>{factsOf(model, withSize).join(' · ')}</div>
    {!model.sameEverywhere && <Differs />}
  </>
)

/** Servers list the model with different digests. */
export const Differs = () => (
  <span className={styles.mark}>
    <span className="dot" data-tone="warn" aria-hidden="true" />
    Not the same on all servers
  </span>
)
