import { type RefObject, useEffect, useState } from 'react'
import type { ApiError } from '../../../api/client'
import type { Values } from './values'

const ADVANCED = [
  'headers',
  'priority',
  'weight',
  'modelsAllow',
  'modelsDeny',
  'verifyTls',
  'connectTimeoutSeconds',
  'firstEventTimeoutSeconds',
  'answerTimeoutSeconds',
  'idleTimeoutSeconds',
]

/** Is the field of this path in the part that is folded away at first? */
export const isAdvanced = (path: string) => ADVANCED.includes(path.split('.')[0] ?? '')

export const pathsOf = (errors: Record<string, unknown>) => Object.keys(errors)

/** What the orchestrator says of a member, on the field that it was made of; null where there is none. */
export function onField(error: ApiError, values: Values): Record<string, string> | null {
  const { field } = error
  const path = field === 'apiKey' ? keyField(values) : field
  if (path === null || !(path in values)) return null
  const words = error.message.startsWith(`${field}: `) ? error.message.slice(`${field}: `.length) : error.message
  return { [path]: words.charAt(0).toUpperCase() + words.slice(1) }
}

const keyField = ({ keyMode }: Values): keyof Values =>
  keyMode === 'enter' ? 'keyValue' : keyMode === 'variable' ? 'keyVariable' : 'keyMode'

/** Focuses the first field, as they stand on screen, of those whose paths are told; once it is drawn. */
export function useFirstWrong(box: RefObject<HTMLElement | null>): (paths: string[]) => void {
  const [wrong, setWrong] = useState<string[]>([])
  useEffect(() => {
    const fields = box.current?.querySelectorAll<HTMLElement>('[data-path]') ?? []
    const isWrong = (path: string) => wrong.some((one) => path === one || path.startsWith(`${one}.`))
    for (const field of fields)
      if (isWrong(field.dataset.path ?? '')) {
        field.focus()
        return
      }
  }, [wrong, box])
  return setWrong
}
