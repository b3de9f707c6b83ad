import type { Header, RequestDetail } from '../../api/types'
import { curl } from '../../lib/curl'

const KEY_HEADERS = { authorization: 'Authorization', 'x-api-key': 'X-Api-Key', 'api-key': 'Api-Key' } as const
const KEPT_HEADERS = ['anthropic-version', 'anthropic-beta', 'openai-beta', 'x-orchestrator-server']
const NOT_KEPT = '(the body is not kept: put yours here)'

/** The request as a command, without the body and the key, neither of which is kept. */
export function commandOf(request: RequestDetail, origin: string): string {
  const given = request.headers ?? []
  return curl({
    url: `${origin}${request.path}`,
    keyHeader: keyHeaderOf(given),
    headers: [
      ['Content-Type', 'application/json'],
      ...given.flatMap(({ name, value }): [string, string][] =>
        value !== null && KEPT_HEADERS.includes(name.toLowerCase()) ? [[name, value]] : [],
      ),
    ],
    body: { model: request.model, ...bodyOf(request), ...streamOf(request) },
    stream: request.stream,
  })
}

function keyHeaderOf(given: Header[]) {
  for (const { name } of given) {
    const known = KEY_HEADERS[name.toLowerCase() as keyof typeof KEY_HEADERS]
    if (known) return known
  }
}

function bodyOf({ path }: RequestDetail): Record<string, unknown> {
  if (/\/(chat|chat\/completions|messages)$/.test(path)) return { messages: [{ role: 'user', content: NOT_KEPT }] }
  if (/\/(generate|completions)$/.test(path) || path === '/api/embeddings') return { prompt: NOT_KEPT }
  return { input: NOT_KEPT }
}

/** Only where it is not what the server does by itself. */
function streamOf({ dialect, stream, path }: RequestDetail): Record<string, unknown> {
  if (dialect !== 'ollama') return stream ? { stream } : {}
  return !stream && /\/(chat|generate)$/.test(path) ? { stream } : {}
}
