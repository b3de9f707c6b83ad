import { VisuallyHidden } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { Ban } from 'lucide-react'
import type { Names } from '../../api/server-names'
import type { FleetModel, ModelOnServer } from '../../api/types'
import styles from './models.module.css'
import { type FAMILIES, protocolsOf } from './select'

export const stateOf = ({ denied, loaded }: ModelOnServer) =>
  denied ? (loaded ? 'Denied, in memory' : 'Denied') : loaded ? 'In memory' : 'Listed'

/** How a model is on a server: a mark and a word. */
export const PlaceMark = ({ place }: { place: ModelOnServer }) => (
  <span className={styles.mark}>
    {place.denied ? (
      <Ban size={12} aria-hidden="true" />
    ) : (
      <span className="dot" data-tone={place.loaded ? 'ok' : 'none'} aria-hidden="true" />
    )}
    {stateOf(place)}
  </span>
)

/** Letters for the eye, names for who listens. */
export const Protocols = ({ families }: { families: typeof FAMILIES }) => (
  <span className={styles.protocols}>
    {families.map(({ short, name }) => (
      <span key={short} className={styles.badge} aria-hidden="true" title={name}>
        {short}
      </span>
    ))}
    <VisuallyHidden>{families.map(({ name }) => name).join(' and ')}</VisuallyHidden>
  </span>
)

/** Every server that has the model, those first that have it in memory. */
export const Places = ({ model, names }: { model: FleetModel; names: Names }) => (
  <ul className={styles.places} aria-label={`Servers that have ${model.name}`}>
    {Object.entries(model.servers)
      .map(([id, place]) => ({ id, place, name: names[id] ?? id }))
      .sort((a, b) => Number(b.place.loaded ?? false) - Number(a.place.loaded ?? false) || a.name.localeCompare(b.name))
      .map(({ id, place, name }) => (
        <li key={id}>
          <Link className="link" to="/servers/$id" params={{ id }}>
            {name}
          </Link>
          <PlaceMark place={place} />
          <Protocols families={protocolsOf(place)} />
        </li>
      ))}
  </ul>
)
