import { screen } from '@testing-library/react'
import { describe, expect, it } from 'vitest'
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
  it('are not told of a server that was not probed yet', async () => {
    show(<Capabilities server={aServer({ status: 'unknown', supportsOllama: false, supportsV1: false })} />)
    expect(await screen.findByText('–')).toBeInTheDocument()
    expect(screen.queryByText('none found')).toBeNull()
  })
})

it('tells a key by where it comes from, never by what it is', () => {
  expect([keyInWords(null), keyInWords('***REDACTED***'), keyInWords('env:GPU_KEY')]).toEqual([
    'No key',
    'A key is set',
    'Key from the variable GPU_KEY',
  ])
})
