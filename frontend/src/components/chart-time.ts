const HOUR = { hour: '2-digit', minute: '2-digit' } as const
const toMinutes = new Intl.DateTimeFormat('en-GB', HOUR)
const toSeconds = new Intl.DateTimeFormat('en-GB', { ...HOUR, second: '2-digit' })

/** Local time of day, 24 h. time: Unix seconds. */
export const timeOfDay = (time: number, withSeconds: boolean) =>
  (withSeconds ? toSeconds : toMinutes).format(time * 1000)
