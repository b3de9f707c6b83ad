import { DASH } from './format'

const FOREVER_SECONDS = 5 * 365 * 86400

/** How long a model stays in memory if nobody asks for it. expiresAt: RFC 3339 or "" if the server did not say. */
export function stays(expiresAt: string, now: number): string {
  const at = Date.parse(expiresAt) / 1000
  // A server that does not say writes nothing or the year 1.
  if (!Number.isFinite(at) || at <= 0) return DASH
  const left = at - now
  if (left > FOREVER_SECONDS) return 'forever'
  if (left < 1) return 'about to go'
  if (left < 90) return `stays ${Math.round(left)} s`
  if (left < 5400) return `stays ${Math.round(left / 60)} min`
  if (left < 129_600) return `stays ${Math.round(left / 3600)} h`
  return `stays ${Math.round(left / 86400)} d`
}

/** How much of a model is in video memory, in percent; a dash where its size is not known. */
export const videoShare = ({ size, sizeVram }: { size: number; sizeVram: number }) =>
  size > 0 ? `${Math.round((Math.min(sizeVram, size) / size) * 100)} %` : DASH

const DEFAULT_PREFIX = /^(registry\.ollama\.ai\/library\/|registry\.ollama\.ai\/|library\/)/

/** One name for all spellings of a model: lower case, without Ollama's default host, namespace and tag. */
export const foldedName = (name: string) =>
  name
    .toLowerCase()
    .replace(/:latest$/, '')
    .replace(DEFAULT_PREFIX, '')
