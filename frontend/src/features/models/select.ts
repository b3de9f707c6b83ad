import type { FleetModel, ModelOnServer, WhereNow } from '../../api/types'
import { bytes } from '../../lib/format'

export interface ModelSearch {
  q?: string
  server?: string
  loaded?: true
  /** Whose details are open. */
  model?: string
}

/** Those that the search leaves: with all words of it, on the server, in memory (there, where one is chosen). */
export function chosen(models: readonly FleetModel[], { q = '', server, loaded }: ModelSearch): FleetModel[] {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean)
  return models.filter((model) => {
    const text = `${model.name} ${model.parameters} ${model.quantisation}`.toLowerCase()
    if (!words.every((word) => text.includes(word))) return false
    const places = server ? [model.servers[server]] : Object.values(model.servers)
    return places.some((place) => place && (!loaded || place.loaded))
  })
}

/** On how many servers it is, in memory, and kept from requests by their lists. */
export function copies({ servers }: FleetModel) {
  const places = Object.values(servers)
  return {
    on: places.length,
    loaded: places.filter((place) => place.loaded).length,
    denied: places.filter((place) => place.denied).length,
  }
}

/** `on 3`, `1 in memory`; with `of` servers in all: `on 14 of 30`, `4 in memory`. Only Ollama tells what is not in memory. */
export function copiesWords(model: FleetModel, of?: number): string[] {
  const { on, loaded, denied } = copies(model)
  const words = [`on ${on}${of === undefined ? '' : ` of ${of}`}`]
  if (loaded || Object.values(model.servers).some((place) => place.ollama)) words.push(`${loaded} in memory`)
  return denied ? [...words, `${denied} denied`] : words
}

export type Family = 'ollama' | 'openai'
export const FAMILIES: { family: Family; short: string; name: string }[] = [
  { family: 'ollama', short: 'O', name: 'Ollama' },
  { family: 'openai', short: 'AI', name: 'OpenAI' },
]

/** Names of the protocols by which a server lists a model. */
export const protocolsOf = (place: ModelOnServer) => FAMILIES.filter(({ family }) => place[family])

export interface Destination {
  families: typeof FAMILIES
  where: WhereNow
}

/** Where requests would go, protocols of the same answer together. */
export function destinations(model: FleetModel): Destination[] {
  const found: Destination[] = []
  for (const family of FAMILIES) {
    const where = model[family.family]
    if (!where) continue
    const same = found.find((one) => alike(one.where, where))
    if (same) same.families = [...same.families, family]
    else found.push({ families: [family], where })
  }
  return found
}

const alike = (a: WhereNow, b: WhereNow) => JSON.stringify(a) === JSON.stringify(b)

const NAMED = 3

/** `attic`, `One of attic, cellar`, `Waits: all full (attic)`, or why it would be refused. name: of a server by its id. */
export function whereText({ servers, waits, reason }: WhereNow, name: (id: string) => string, named = NAMED): string {
  if (reason) return `Refused: ${reason}`
  if (waits) return `Waits: all full (${some(servers.map(name), named)})`
  return servers.length > 1 ? `One of ${some(servers.map(name), named)}` : name(servers[0] ?? '')
}

function some(names: string[], named: number): string {
  const more = names.length - named
  return more > 0 ? `${names.slice(0, named).join(', ')} and ${more} more` : names.join(', ')
}

/** What is known of a model beside its name; its size only where that is wanted. */
export const factsOf = ({ parameters, quantisation, contextLength, size }: FleetModel, withSize = false) =>
  [
    parameters,
    quantisation,
    contextLength === null ? '' : `context ${contextLength.toLocaleString('en')}`,
    withSize && size !== null ? bytes(size) : '',
  ].filter(Boolean)
