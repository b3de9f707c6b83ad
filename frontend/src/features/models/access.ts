import type { FleetModel } from '../../api/types'
import { curl } from '../../lib/curl'
import { FAMILIES, type Family } from './select'

export interface Access {
  family: Family
  name: string
  baseUrl: string
  command: string
}

/** How to ask for a model in each protocol that it is served in. origin: of the orchestrator. */
export function accessOf(model: FleetModel, origin: string): Access[] {
  return FAMILIES.filter(({ family }) => model[family]).map(({ family, name }) => {
    const { base, path, body } = (/embed/i.test(model.name) ? EMBEDDINGS : CHAT)[family]
    const baseUrl = `${origin}${base}`
    return {
      family,
      name,
      baseUrl,
      command: curl({ url: `${baseUrl}${path}`, headers: json, body: { model: model.name, ...body } }),
    }
  })
}

const json = [['Content-Type', 'application/json']] as const
const messages = [{ role: 'user', content: 'Hello' }]
const CHAT = {
  ollama: { base: '', path: '/api/chat', body: { messages } },
  openai: { base: '/v1', path: '/chat/completions', body: { messages } },
}
const EMBEDDINGS = {
  ollama: { base: '', path: '/api/embed', body: { input: 'Hello' } },
  openai: { base: '/v1', path: '/embeddings', body: { input: 'Hello' } },
}
