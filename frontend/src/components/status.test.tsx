import { screen } from '@testing-library/react'
import { describe, expect, it } from 'vitest'
import type { ServerAnswer } from '../api/types'
import { show } from '../test/render'
import { aServer } from '../test/servers'
import { Capabilities, keyInWords, StatusMark, statusOf } from './status'

it('calls every status of a server by a word of its own', () => {
  const known = [
    'unknown',
    'healthy',
    'degraded',
    'down',
    'draining',
    'disabled',
    'warming',
    'configError',
    'rateLimited',
  ]
  const words = known.map((status) => statusOf(status).word)
  expect(new Set(words).size).toBe(known.length)
  expect(words).not.toContain('configError')
})

it('shows a status that it does not know as it is', async () => {
  show(<StatusMark status="asleep" />)
  expect(await screen.findByText('asleep')).toBeInTheDocument()
})

describe('capabilities', () => {
  it('are the protocols that probes found, and whether a key is set', async () => {
    show(<Capabilities server={aServer({ supportsV1: false, apiKey: '***REDACTED***' })} />)
    expect(await screen.findByText('Ollama')).toBeInTheDocument()
    expect(screen.queryByText('OpenAI')).toBeNull()
    expect(screen.getByRole('img', { name: 'A key is set' })).toBeInTheDocument()
  })
  it.each<[Partial<ServerAnswer>, string]>([
    [{ status: 'unknown' }, 'not known'],
    [{ status: 'configError' }, 'not known'],
    [{ status: 'disabled', lastCheckTime: null }, 'not known'],
    [{ status: 'down' }, 'none found'],
  ])('are denied only where they were asked for: %j says %s', async (some, says) => {
    show(<Capabilities server={aServer({ supportsOllama: false, supportsV1: false, ...some })} />)
    expect(await screen.findByText(says)).toBeInTheDocument()
  })
})

it('tells a key by where it comes from, never by what it is', () => {
  expect([keyInWords(null), keyInWords('***REDACTED***'), keyInWords('env:GPU_KEY')]).toEqual([
    'No key',
    'A key is set',
    'Key from the variable GPU_KEY',
  ])
})
