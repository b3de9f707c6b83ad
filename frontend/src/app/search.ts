/** Search parameters of pages: plain text, so that `?q=123` and `?q=true` are what was typed. What cannot be read is left out. */

type Search = Record<string, unknown>

export const text = (value: unknown) =>
  typeof value === 'string' && value !== '' ? value : typeof value === 'number' ? String(value) : undefined
export const flag = (value: unknown) => (value === true || value === 'true' ? true : undefined)
export const oneOf =
  <T extends string>(...allowed: readonly T[]) =>
  (value: unknown) =>
    allowed.find((one) => one === value)

export const searching =
  <R extends Record<string, (value: unknown) => unknown>>(readers: R) =>
  (search: Search): { [K in keyof R]?: Exclude<ReturnType<R[K]>, undefined> } => {
    // Also those left out are named: the router puts what is read over what was written, so that would show through.
    return Object.fromEntries(Object.entries(readers).map(([name, reader]) => [name, reader(search[name])])) as never
  }

export const parseSearch = (search: string): Search => Object.fromEntries(new URLSearchParams(search))

export function stringifySearch(search: Search): string {
  const given = Object.entries(search).filter(([, value]) => value !== undefined && value !== null && value !== '')
  const written = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString()
  return written && `?${written}`
}
