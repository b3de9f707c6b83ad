import type { ServerAnswer } from '../../api/types'
import { isUp, statusOf } from '../../components/status'

/** servers: that are not up. degraded: that are up, but not wholly. tone: of the mark. text: who they are. */
export interface Others {
  servers: readonly ServerAnswer[]
  degraded: readonly ServerAnswer[]
  tone: string
  text: string
}

/** Somebody wanted it so. */
const WANTED = ['draining', 'disabled']
const NAMED = 2

export function othersOf(servers: readonly ServerAnswer[]): Others {
  const others = [...servers].filter((server) => !isUp(server)).sort((a, b) => rankOf(a) - rankOf(b))
  const degraded = servers.filter((server) => server.status === 'degraded')
  const tone = servers.length === others.length ? 'bad' : [...others, ...degraded].every(isWanted) ? 'ok' : 'warn'
  return { servers: others, degraded, tone, text: textOf(others, degraded) }
}

const isWanted = ({ status }: ServerAnswer) => WANTED.includes(status)

function textOf(others: readonly ServerAnswer[], degraded: readonly ServerAnswer[]): string {
  if (!degraded.length) return others.length ? listOf(others) : 'all of them'
  const [one, another] = degraded
  const says = one && !another ? inWords(one) : `${degraded.length} degraded`
  return `${others.length ? listOf(others) : 'all up'}, ${says}`
}

function listOf(servers: readonly ServerAnswer[]): string {
  const named = servers.slice(0, NAMED).map(inWords).join(', ')
  const more = servers.length - NAMED
  return more > 0 ? `${named} and ${more} more` : named
}

const inWords = ({ name, id, status }: ServerAnswer) => `${name || id} ${statusOf(status).word.toLowerCase()}`

/** The more it needs a look, the lower. */
const RANKS = ['down', 'configError', 'rateLimited', 'warming', 'degraded', 'unknown', 'draining', 'disabled']
export const rankOf = ({ status }: Pick<ServerAnswer, 'status'>) =>
  RANKS.includes(status) ? RANKS.indexOf(status) : RANKS.length
