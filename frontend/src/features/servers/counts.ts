import type { ServerAnswer } from '../../api/types'
import { foldedName } from '../../lib/memory'

type Lists = Pick<ServerAnswer, 'models' | 'v1Models'>

/** How many models there are: most servers tell the same ones in both lists, some with and some without `:latest`. */
export const distinctModels = ({ models, v1Models }: Lists) => new Set([...models, ...v1Models].map(foldedName)).size
