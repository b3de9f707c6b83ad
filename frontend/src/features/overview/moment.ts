/** Local time of day, with the date where it is not today's. time: Unix seconds. */
export function momentOf(time: number, now = new Date()): string {
  const date = new Date(time * 1000)
  const clock = date.toLocaleTimeString('en-GB')
  if (date.toDateString() === now.toDateString()) return clock
  return `${date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })} ${clock}`
}
