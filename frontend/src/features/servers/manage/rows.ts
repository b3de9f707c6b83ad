import type { LoadedModelAnswer, ModelAnswer } from '../../../api/types'
import { foldedName } from '../../../lib/memory'
import type { LoadState } from './use-loading'

export interface ManagedRow {
  name: string
  size: number | null
  parameters: string
  quantisation: string
  allowed: boolean
  /** In memory: known from the server's list, or only said to be there. */
  loaded: boolean
  memory: LoadedModelAnswer | null
  state: LoadState | null
}

const told = (details: Record<string, unknown> | null, name: string) => {
  const value = details?.[name]
  return typeof value === 'string' ? value : ''
}

const BY_NAME = new Intl.Collator('en', { numeric: true })

/** Each model that is listed, with what is in memory of it. first: those that stand before the others. */
export function rowsOf(
  models: readonly ModelAnswer[],
  loaded: readonly LoadedModelAnswer[],
  states: ReadonlyMap<string, LoadState>,
  first: readonly LoadedModelAnswer[],
): ManagedRow[] {
  const ahead = new Set(first.map((model) => foldedName(model.name)))
  const rank = ({ name }: ManagedRow) => Number(!ahead.has(foldedName(name)))
  const memory = new Map(loaded.map((model) => [foldedName(model.name), model]))
  const rows = models.map((model) => {
    const there = memory.get(foldedName(model.name)) ?? null
    return {
      name: model.name,
      size: model.size,
      parameters: told(model.details, 'parameter_size'),
      quantisation: told(model.details, 'quantization_level'),
      allowed: model.allowed,
      loaded: there !== null,
      memory: there,
      state: states.get(model.name) ?? null,
    }
  })
  return rows.sort((a, b) => rank(a) - rank(b) || BY_NAME.compare(a.name, b.name))
}
