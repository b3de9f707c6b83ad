import type { ServerAnswer } from '../../api/types'
import { NOT_KNOWN } from '../../components/status'
import { foldedName } from '../../lib/memory'

type Lists = Pick<ServerAnswer, 'models' | 'v1Models'>

// By the lists themselves, which stay when a server is told anew: there may be hundreds of names.
const counted = new WeakMap<readonly string[], { v1Models: readonly string[]; count: number }>()

/** How many models there are: most servers tell the same ones in both lists, some with and some without `:latest`. */
export function distinctModels({ models, v1Models }: Lists): number {
  const known = counted.get(models)
  if (known?.v1Models === v1Models) return known.count
  const count = new Set([...models, ...v1Models].map(foldedName)).size
  counted.set(models, { v1Models, count })
  return count
}

/** How many models, in words: none is told only of a server that answered with its lists. */
export function modelsText(server: ServerAnswer): string {
  const count = distinctModels(server)
  return count || server.supportsOllama || server.supportsV1 ? String(count) : NOT_KNOWN
}
