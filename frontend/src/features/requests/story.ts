import type { RequestAnswer } from '../../api/types'
import { outcomeOf } from '../../lib/words'

/** Where a request went and how it ended, in one or two sentences. name: of a server by its id. */
export function storyOf(row: RequestAnswer, name: (id: string) => string): string {
  const end = `${endOf(row, row.server && name(row.server))}${row.reason ? `: ${row.reason}` : ''}`
  const failed = row.failure ? row.attempts.slice(0, -1) : row.attempts.filter((one) => one.outcome !== 'ok')
  const before = failed.map((one) => `${name(one.server)} (${outcomeOf(one.outcome).word.toLowerCase()})`)
  return `${end.replace(/\.$/, '')}.${before.length ? ` Tried before: ${before.join(', ')}.` : ''}`
}

function endOf({ failure, outcome, firstEventSeconds, stream, status }: RequestAnswer, server: string): string {
  switch (failure) {
    case null:
      return `Answered by ${server}`
    case 'truncated':
      return `${server} broke off its answer: the client got status ${status}, a part of it, and then an error`
    case 'clientGone':
      return `The client left ${whenLeft(server, firstEventSeconds, stream)}`
    case 'cancelled':
      return server ? `Ended early on ${server}` : 'Ended before a server had a place for it'
    case 'timeout':
      return server ? `${server} did not answer in time` : 'No server had a place for it in time'
    case 'rateLimited':
      return server ? `${server} takes no more for now` : 'Refused, since there is too much to do'
    case 'clientError':
      return server ? `${server} found the request wrong` : 'Refused by the orchestrator'
    case 'serverError':
      if (!server) return 'No server could answer it'
      return outcome === 'serverError' ? `${server} failed` : `No answer came from ${server}`
  }
}

function whenLeft(server: string, firstEventSeconds: number | null, stream: boolean): string {
  if (!server) return 'before a server had a place for it'
  if (firstEventSeconds === null) return `while ${server} had not answered yet`
  return stream ? `while ${server} was answering` : `while it was sent the answer of ${server}`
}
