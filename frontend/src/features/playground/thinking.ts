const OPEN = '<think>'
const CLOSE = '</think>'

/** Servers that do not tell thinking apart send it before the answer, in tags. */
export function parted(said: string): { thinking: string; text: string } {
  const start = said.trimStart()
  if (!start.startsWith(OPEN)) return { thinking: '', text: said }
  const inside = start.slice(OPEN.length)
  const end = inside.indexOf(CLOSE)
  if (end < 0) return { thinking: inside.trim(), text: '' }
  return { thinking: inside.slice(0, end).trim(), text: inside.slice(end + CLOSE.length).trimStart() }
}
