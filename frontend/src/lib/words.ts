/** How attempts and requests end, in the same words everywhere. tone: of the mark beside the word. */
export const OUTCOMES: Record<string, { word: string; tone: string }> = {
  ok: { word: 'Answered', tone: 'ok' },
  clientError: { word: 'Client error', tone: 'warn' },
  rateLimited: { word: 'Rate limited', tone: 'warn' },
  auth: { word: 'Key refused', tone: 'bad' },
  modelMissing: { word: 'Model missing', tone: 'warn' },
  serverError: { word: 'Server error', tone: 'bad' },
  connectError: { word: 'Not reached', tone: 'bad' },
  timeout: { word: 'Timed out', tone: 'bad' },
  truncated: { word: 'Cut short', tone: 'bad' },
  clientGone: { word: 'Client left', tone: 'none' },
  cancelled: { word: 'Cancelled', tone: 'none' },
}

/** outcome: of an attempt, or why a request failed (`failure`). */
export const outcomeOf = (outcome: string) => OUTCOMES[outcome] ?? { word: outcome, tone: 'bad' }
