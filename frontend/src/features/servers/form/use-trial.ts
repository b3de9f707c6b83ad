import { useMutation } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import { ApiError, api } from '../../../api/client'
import type { ConnectionAnswer } from '../../../api/types'
import { onField } from './errors'
import { check } from './schema'
import { trialOf, type Values } from './values'

export type Trial = ReturnType<typeof trialOf>

/** Tries a server without registering it. onWrong: fields that must be mended first. */
export function useTrial(onWrong: (errors: Record<string, string>) => void) {
  const running = useRef<AbortController | null>(null)
  useEffect(() => () => running.current?.abort(), [])
  const { mutate, reset, data, error, variables, isPending } = useMutation({
    // What was sent may hold a key.
    gcTime: 0,
    mutationFn: ({ json }: { json: Trial; values: Values }) => {
      running.current = new AbortController()
      return api<ConnectionAnswer>('/servers/test', { method: 'POST', json, signal: running.current.signal })
    },
    onError: (failure, { values }) => {
      const errors = failure instanceof ApiError && onField(failure, values)
      if (errors) onWrong(errors)
    },
  })
  const run = (values: Values, id: string | null) => {
    const errors = Object.entries(check(values)).filter(([path]) => MATTERS.test(path))
    if (errors.length) onWrong(Object.fromEntries(errors))
    else mutate({ json: trialOf(values, id), values })
  }
  const cancel = () => {
    running.current?.abort()
    reset()
  }
  const left = error instanceof DOMException
  return { run, cancel, data, isPending, tried: variables?.json, problem: error && !left ? error.message : null }
}

const MATTERS = /^(url|key|headers|connectTimeoutSeconds)/
