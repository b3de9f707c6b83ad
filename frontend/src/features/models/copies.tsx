import { Fragment } from 'react'
import type { FleetModel } from '../../api/types'
import { copiesWords } from './select'

/** On how many servers a model is; breaks between its parts only. of: servers in all. */
export const Copies = ({ model, of }: { model: FleetModel; of?: number }) =>
  copiesWords(model, of).map((words, at) => (
    <Fragment key={words}>
      {at > 0 && ', '}
      <span style={{ whiteSpace: 'nowrap' }}>{words}</span>
    </Fragment>
  ))
