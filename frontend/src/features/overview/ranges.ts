/** seconds: what the charts span. stepSeconds: how often there is something new. */
export const RANGES = {
  '5m': { label: '5 min', seconds: 300, stepSeconds: 1 },
  '15m': { label: '15 min', seconds: 900, stepSeconds: 10 },
  '1h': { label: '1 h', seconds: 3600, stepSeconds: 10 },
  '6h': { label: '6 h', seconds: 21_600, stepSeconds: 60 },
  '24h': { label: '24 h', seconds: 86_400, stepSeconds: 60 },
} as const

export type Range = keyof typeof RANGES
export const LIVE = '5m'
