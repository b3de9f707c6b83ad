/** Local time of day, 24 h. time: Unix seconds. */
export const timeOfDay = (time: number, withSeconds: boolean) =>
  new Date(time * 1000).toLocaleTimeString('en-GB', {
    hour: '2-digit',
    minute: '2-digit',
    ...(withSeconds && { second: '2-digit' }),
  })
