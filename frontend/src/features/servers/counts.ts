import type { ServerAnswer } from '../../api/types'

type Lists = Pick<ServerAnswer, 'models' | 'v1Models'>

/** How many models there are: most servers tell the same ones in both lists. */
export const distinctModels = ({ models, v1Models }: Lists) => new Set([...models, ...v1Models]).size
