import * as z from 'zod/mini'
import type { HeaderRow, Values } from './values'

const DAY = 86_400
const LIMIT = 1_000_000

/** A number for which the test holds, or an empty field where one may be empty. */
const number = (test: (value: number) => boolean, says: string, empty = true) =>
  z.custom<number | string>(
    (value) => (value === '' ? empty : Number.isFinite(Number(value)) && test(Number(value))),
    says,
  )

const seconds = number((value) => value > 0 && value <= DAY, 'More than 0, at most 86,400 s (a day)')
const globs = z.array(z.string().check(z.maxLength(200, 'At most 200 characters each')))

export const schema = z.object({
  id: z
    .string()
    .check(z.regex(/^(?!\.{1,2}$)[A-Za-z0-9._-]{1,64}$/, 'Use 1 to 64 of: letters, digits, dot, underscore, hyphen')),
  name: z.string().check(z.maxLength(200, 'At most 200 characters')),
  url: z.string().check(z.refine(isAddress, 'Enter an http:// or https:// address')),
  keyMode: z.string(),
  keyValue: z.string(),
  keyVariable: z.string(),
  headers: z.array(z.object({ name: z.string(), value: z.string(), stored: z.boolean() })),
  maxConcurrency: number(
    (value) => Number.isInteger(value) && value >= 1 && value <= LIMIT,
    'A whole number, 1 or more',
  ),
  priority: number((value) => Number.isInteger(value) && Math.abs(value) <= LIMIT, 'A whole number', false),
  weight: number((value) => value > 0 && value <= LIMIT, 'More than 0', false),
  tags: z.array(z.string().check(z.maxLength(100, 'At most 100 characters each'))),
  modelsAllow: globs,
  modelsDeny: globs,
  connectTimeoutSeconds: seconds,
  firstEventTimeoutSeconds: seconds,
  answerTimeoutSeconds: seconds,
  idleTimeoutSeconds: seconds,
})

/** Path of a field to what is wrong with it. */
export function check(values: Values): Record<string, string> {
  const issues = schema.safeParse(values).error?.issues ?? []
  const errors: Record<string, string> = {}
  for (const issue of issues) errors[String(issue.path[0])] ??= issue.message
  return { ...errors, ...keyErrors(values), ...headerErrors(values.headers) }
}

function keyErrors({ keyMode, keyValue, keyVariable }: Values): Record<string, string> {
  if (keyMode === 'enter' && !keyValue.trim()) return { keyValue: 'Enter the key' }
  if (keyMode === 'variable' && !/^[A-Za-z_][A-Za-z0-9_]*$/.test(keyVariable.trim()))
    return { keyVariable: 'Enter the name of a variable: letters, digits and underscores' }
  return {}
}

function headerErrors(rows: HeaderRow[]): Record<string, string> {
  const errors: Record<string, string> = {}
  const names = rows.map((row) => row.name.trim().toLowerCase())
  rows.forEach((row, at) => {
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}$/.test(row.name.trim()))
      errors[`headers.${at}.name`] = 'Enter the name of a header'
    else if (names.indexOf(names[at] ?? '') < at) errors[`headers.${at}.name`] = 'This header is there already'
    if (!row.stored && !row.value.trim()) errors[`headers.${at}.value`] = 'Enter a value'
  })
  return errors
}

function isAddress(text: string): boolean {
  const url = text.trim()
  return /^https?:\/\//i.test(url) && URL.canParse(url)
}
