import { useEffect, useState } from 'react'

/** A part of the program that is loaded when it is first wanted; null until it is there. What goes wrong is thrown where it is used. */
export function useLater<T>(load: () => Promise<T>, wanted: boolean): T | null {
  const [part, setPart] = useState<{ value: T } | null>(null)
  const missing = wanted && part === null
  useEffect(() => {
    if (!missing) return
    let left = false
    load().then(
      (value) => left || setPart({ value }),
      (error) =>
        left ||
        setPart(() => {
          throw error
        }),
    )
    return () => {
      left = true
    }
  }, [missing, load])
  return part ? part.value : null
}
