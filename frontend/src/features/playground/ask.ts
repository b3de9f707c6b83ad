import { curl } from '../../lib/curl'

export type Style = 'ollama' | 'openai'
export const STYLES: Record<Style, { word: string; path: string }> = {
  ollama: { word: 'Ollama', path: '/api/chat' },
  openai: { word: 'OpenAI', path: '/v1/chat/completions' },
}

export interface Message {
  role: 'system' | 'user' | 'assistant'
  content: string
}

/** What is null or empty is left to the server. contextLength and keepAlive: Ollama's alone. */
export interface Options {
  system: string
  temperature: number | null
  maxTokens: number | null
  topP: number | null
  seed: number | null
  contextLength: number | null
  keepAlive: string
}

export const NO_OPTIONS: Options = {
  system: '',
  temperature: null,
  maxTokens: null,
  topP: null,
  seed: null,
  contextLength: null,
  keepAlive: '',
}

/** Whom to ask, and how. server: id of the only one to be asked, null for whichever fits best. */
export interface Target {
  model: string
  style: Style
  server: string | null
  options: Options
}

export const headersOf = ({ server }: Target): [string, string][] => [
  ['Content-Type', 'application/json'],
  ...(server === null ? [] : [['X-Orchestrator-Server', server] satisfies [string, string]]),
]

export function bodyOf(target: Target, said: readonly Message[]): Record<string, unknown> {
  const { model, style, options } = target
  const system = options.system.trim()
  const messages = system ? [{ role: 'system', content: options.system }, ...said] : said
  return style === 'ollama'
    ? { model, stream: true, messages, ...ollamaOptions(options) }
    : { model, stream: true, stream_options: { include_usage: true }, messages, ...openaiOptions(options) }
}

function ollamaOptions({ temperature, maxTokens, topP, seed, contextLength, keepAlive }: Options) {
  const options = given({ temperature, num_predict: maxTokens, top_p: topP, seed, num_ctx: contextLength })
  return {
    ...(Object.keys(options).length > 0 && { options }),
    ...(keepAlive.trim() && { keep_alive: durationOf(keepAlive.trim()) }),
  }
}

/** Seconds go as a number: as text, a duration needs its unit. */
const durationOf = (text: string) => (/^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text)

const openaiOptions = ({ temperature, maxTokens, topP, seed }: Options) =>
  given({ temperature, max_tokens: maxTokens, top_p: topP, seed })

const given = (values: Record<string, number | null>) =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null))

/** The same request as a command. origin: of the orchestrator. */
export const commandOf = (target: Target, said: readonly Message[], origin: string) =>
  curl({
    url: `${origin}${STYLES[target.style].path}`,
    headers: headersOf(target),
    body: bodyOf(target, said),
    stream: true,
  })
