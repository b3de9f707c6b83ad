import type { ServerAnswer } from '../../api/types'
import { isUp, statusOf } from '../../components/status'

/** Servers that are not up. tone: of the mark. text: their names. */
export interface Others {
  servers: readonly ServerAnswer[]
  tone: string
  text: string
}

/** Somebody wanted it so. */
const WANTED = ['draining', 'disabled']
const NAMED = 2

export function othersOf(servers: readonly ServerAnswer[]): Others {
  const others = [...servers].filter((server) => !isUp(server)).sort((a, b) => rankOf(a) - rankOf(b))
  const named = others.slice(0, NAMED).map((one) => `${one.name || one.id} ${statusOf(one.status).word.toLowerCase()}`)
  const more = others.length - named.length
  return { servers: others, tone: toneOf(servers, others), text: textOf(named, more) }
}

function toneOf(servers: readonly ServerAnswer[], others: readonly ServerAnswer[]): string {
  if (servers.length === others.length) return 'bad'
  return others.every((server) => WANTED.includes(server.status)) ? 'ok' : 'warn'
}

function textOf(named: readonly string[], more: number): string {
  if (!named.length) return 'all of them'
  return more ? `${named.join(', ')} and ${more} more` : named.join(', ')
}

/** The more it needs a look, the lower. */
const RANKS = ['down', 'configError', 'rateLimited', 'warming', 'degraded', 'unknown', 'draining', 'disabled']
export const rankOf = ({ status }: Pick<ServerAnswer, 'status'>) =>
  RANKS.includes(status) ? RANKS.indexOf(status) : RANKS.length
