/** One shell command that sends a request. */

interface Request {
  url: string
  method?: string
  headers?: readonly (readonly [name: string, value: string])[]
  /** The header that carries the key, which the command takes from the environment. */
  keyHeader?: 'Authorization' | 'X-Api-Key' | 'Api-Key' | undefined
  body?: unknown
  /** Print what comes as it comes. */
  stream?: boolean
}

export function curl({ url, method = 'POST', headers = [], keyHeader, body, stream }: Request): string {
  const parts = [`curl ${stream ? '-N ' : ''}${method === 'POST' ? '' : `-X ${quoted(method)} `}${quoted(url)}`]
  if (keyHeader) parts.push(`-H "${keyHeader}: ${keyHeader === 'Authorization' ? 'Bearer ' : ''}$YOUR_KEY"`)
  for (const [name, value] of headers) parts.push(`-H ${quoted(`${name}: ${value}`)}`)
  if (body !== undefined) parts.push(`-d ${quoted(JSON.stringify(body))}`)
  return parts.join(' \\\n  ')
}

/** As one word of a POSIX shell, whatever it holds. */
export const quoted = (text: string) =>
  /^[\w./:@=-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
