import { randomId } from '@mantine/hooks'
import type { ServerAnswer } from '../../../api/types'

/** What stands for a stored secret; sent back it means unchanged. */
export const MASK = '***REDACTED***'

export type KeyMode = 'none' | 'keep' | 'enter' | 'variable'

/** stored: the server has a value for it, which an empty `value` keeps. */
export interface HeaderRow {
  key: string
  name: string
  value: string
  stored: boolean
}

/** The form as it is edited. Numbers are "" where the field is empty: no limit, or the setting of the fleet. */
export interface Values {
  id: string
  name: string
  url: string
  type: ServerAnswer['type']
  keyMode: KeyMode
  keyValue: string
  keyVariable: string
  headers: HeaderRow[]
  maxConcurrency: number | string
  priority: number | string
  weight: number | string
  tags: string[]
  modelsAllow: string[]
  modelsDeny: string[]
  verifyTls: boolean
  enabled: boolean
  connectTimeoutSeconds: number | string
  firstEventTimeoutSeconds: number | string
  answerTimeoutSeconds: number | string
  idleTimeoutSeconds: number | string
}

/** What is registered of a server, as POST and PATCH take it. */
export type Body = Pick<
  ServerAnswer,
  | 'url'
  | 'name'
  | 'type'
  | 'apiKey'
  | 'headers'
  | 'maxConcurrency'
  | 'priority'
  | 'weight'
  | 'tags'
  | 'modelsAllow'
  | 'modelsDeny'
  | 'verifyTls'
  | 'enabled'
  | 'connectTimeoutSeconds'
  | 'firstEventTimeoutSeconds'
  | 'answerTimeoutSeconds'
  | 'idleTimeoutSeconds'
>

export const EMPTY: Values = {
  id: '',
  name: '',
  url: '',
  type: 'auto',
  keyMode: 'none',
  keyValue: '',
  keyVariable: '',
  headers: [],
  maxConcurrency: '',
  priority: 0,
  weight: 1,
  tags: [],
  modelsAllow: [],
  modelsDeny: [],
  verifyTls: true,
  enabled: true,
  connectTimeoutSeconds: '',
  firstEventTimeoutSeconds: '',
  answerTimeoutSeconds: '',
  idleTimeoutSeconds: '',
}

export const headerRow = (name = '', value = '', stored = false): HeaderRow => ({
  key: randomId('header'),
  name,
  value,
  stored,
})

export function valuesOf(server: ServerAnswer): Values {
  const { apiKey } = server
  const variable = apiKey?.startsWith('env:') ? apiKey.slice(4) : ''
  return {
    ...EMPTY,
    id: server.id,
    name: server.name,
    url: server.url,
    type: server.type,
    keyMode: apiKey === null ? 'none' : variable ? 'variable' : 'keep',
    keyVariable: variable,
    headers: Object.entries(server.headers).map(([name, value]) =>
      value === MASK ? headerRow(name, '', true) : headerRow(name, value),
    ),
    maxConcurrency: server.maxConcurrency ?? '',
    priority: server.priority,
    weight: server.weight,
    tags: server.tags,
    modelsAllow: server.modelsAllow,
    modelsDeny: server.modelsDeny,
    verifyTls: server.verifyTls,
    enabled: server.enabled,
    connectTimeoutSeconds: server.connectTimeoutSeconds ?? '',
    firstEventTimeoutSeconds: server.firstEventTimeoutSeconds ?? '',
    answerTimeoutSeconds: server.answerTimeoutSeconds ?? '',
    idleTimeoutSeconds: server.idleTimeoutSeconds ?? '',
  }
}

const numberOrNull = (value: number | string) => (value === '' ? null : Number(value))

export const bodyOf = (values: Values): Body => ({
  url: values.url.trim(),
  name: values.name.trim(),
  type: values.type,
  apiKey: keyOf(values),
  headers: Object.fromEntries(
    values.headers.map(({ name, value, stored }) => [name.trim(), stored && value === '' ? MASK : value.trim()]),
  ),
  maxConcurrency: numberOrNull(values.maxConcurrency),
  priority: numberOrNull(values.priority) ?? 0,
  weight: numberOrNull(values.weight) ?? 1,
  tags: values.tags,
  modelsAllow: values.modelsAllow,
  modelsDeny: values.modelsDeny,
  verifyTls: values.verifyTls,
  enabled: values.enabled,
  connectTimeoutSeconds: numberOrNull(values.connectTimeoutSeconds),
  firstEventTimeoutSeconds: numberOrNull(values.firstEventTimeoutSeconds),
  answerTimeoutSeconds: numberOrNull(values.answerTimeoutSeconds),
  idleTimeoutSeconds: numberOrNull(values.idleTimeoutSeconds),
})

function keyOf({ keyMode, keyValue, keyVariable }: Values): string | null {
  if (keyMode === 'enter') return keyValue.trim()
  if (keyMode === 'variable') return `env:${keyVariable.trim()}`
  return keyMode === 'keep' ? MASK : null
}

/** The members whose values differ from those before. */
export function changed(now: Body, before: Body): Partial<Body> {
  const names = Object.keys(now) as (keyof Body)[]
  const differ = names.filter((name) => JSON.stringify(now[name]) !== JSON.stringify(before[name]))
  return Object.fromEntries(differ.map((name) => [name, now[name]]))
}

/** What to register: only what differs from the defaults. */
export const newServer = (values: Values) => {
  const { url, ...more } = changed(bodyOf(values), bodyOf(EMPTY))
  return { id: values.id.trim(), url: url ?? '', ...more }
}

/** What a test of the connection depends on. id: of the registered server whose stored secrets the mask stands for. */
export function trialOf(values: Values, id: string | null) {
  const { url, type, apiKey, headers, verifyTls, connectTimeoutSeconds } = bodyOf(values)
  const more = { type, apiKey, headers, verifyTls, connectTimeoutSeconds }
  return { url, ...more, ...(id !== null && { id }) }
}

/** An id for a server of this name or URL that no other has; "" while there is nothing to make it of. */
export function suggestedId(name: string, url: string, taken: readonly string[]): string {
  const base = slug(name) || slug(hostOf(url))
  if (!base || !taken.includes(base)) return base
  for (let number = 2; ; number++) {
    const next = `${base.slice(0, 60)}-${number}`
    if (!taken.includes(next)) return next
  }
}

const slug = (text: string) =>
  text
    .trim()
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .slice(0, 64)
    .replace(/^[-.]+|[-.]+$/g, '')

/** Another scheme, host or port; not while the URL is none yet. */
export const isElsewhere = (url: string, before: string) =>
  URL.canParse(url) && URL.canParse(before) && new URL(url).origin !== new URL(before).origin

/** Host and port: several servers on one machine are common. */
const hostOf = (url: string) => (URL.canParse(url) ? new URL(url).host : '')
