import type { ServerAnswer } from '../../api/types'

/** How a server is called; its id where it has no name. */
export const nameOf = ({ name, id }: Pick<ServerAnswer, 'name' | 'id'>) => name || id
