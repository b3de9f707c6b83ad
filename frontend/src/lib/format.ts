/** Texts for people. Unknown values are a dash. */

export const DASH = '–'

/** With a capital first letter. */
export const sentence = (text: string) => text.slice(0, 1).toUpperCase() + text.slice(1)

/** Of seconds: 0.4 ms, 85 ms, 1.24 s, 42 s, 3 m 20 s, 2 h 5 m, 3 d 4 h. */
export function duration(seconds: number | null | undefined): string {
  if (seconds == null || !Number.isFinite(seconds)) return DASH
  if (seconds < 0.0095) return `${Number((seconds * 1000).toFixed(1))} ms`
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`
  if (seconds < 9.995) return `${seconds.toFixed(2)} s`
  if (seconds < 59.5) return `${seconds.toFixed(0)} s`
  const whole = Math.round(seconds)
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${whole % 60} s`
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} m`
  return `${Math.floor(whole / 86400)} d ${Math.floor((whole % 86400) / 3600)} h`
}

/** Of milliseconds. */
export const milliseconds = (value: number | null | undefined) => duration(value == null ? null : value / 1000)

/** Of bytes, in powers of 1000 as model sizes are usually told. */
export function bytes(value: number | null | undefined): string {
  if (value == null) return DASH
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let unit = 0
  let size = value
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1000
    unit++
  }
  return `${unit === 0 || size >= 99.95 ? size.toFixed(0) : size.toFixed(1)} ${units[unit]}`
}

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })

/** 1,234 and 123 k and 4.5 M. */
export function count(value: number | null | undefined): string {
  if (value == null) return DASH
  if (value >= 999_500) return `${(value / 1e6).toFixed(1)} M`
  if (value >= 99_999.5) return `${(value / 1e3).toFixed(0)} k`
  return whole.format(value)
}

/** Per second, with as many digits as tell something. */
export function rate(value: number | null | undefined): string {
  if (value == null) return DASH
  if (value >= 100) return count(value)
  return value >= 10 || value === 0 ? value.toFixed(value === 0 ? 0 : 1) : value.toFixed(2)
}

const timeOfDay = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' })

/** Local time of day, 24 h. time: Unix seconds or RFC 3339. */
export function clock(time: number | string | null | undefined): string {
  const date = dateOf(time)
  return date ? timeOfDay.format(date) : DASH
}

/** Date and time in UTC, for tooltips. */
export function utc(time: number | string | null | undefined): string {
  const date = dateOf(time)
  return date ? `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC` : DASH
}

/** `just now`, `5 s ago`, `in 3 m`. now: Unix seconds. */
export function ago(time: number | string | null | undefined, now: number): string {
  const date = dateOf(time)
  if (!date) return DASH
  const seconds = now - date.getTime() / 1000
  if (Math.abs(seconds) < 1.5) return 'just now'
  const text = coarse(Math.abs(seconds))
  return seconds < 0 ? `in ${text}` : `${text} ago`
}

function coarse(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`
  if (seconds < 129600) return `${Math.round(seconds / 3600)} h`
  return `${Math.round(seconds / 86400)} d`
}

function dateOf(time: number | string | null | undefined): Date | null {
  if (time == null || time === '') return null
  const date = new Date(typeof time === 'number' ? time * 1000 : time)
  return Number.isNaN(date.getTime()) ? null : date
}
