import { expect, it } from 'vitest'
import { anAttempt, aRequest } from '../../test/requests'
import { storyOf } from './story'

const name = (id: string) => (id === 'gpu-1' ? 'GPU box 1' : id)
const story = (some: Parameters<typeof aRequest>[0]) => storyOf(aRequest(some), name)

it('says who answered, and who could not', () => {
  expect(story({})).toBe('Answered by GPU box 1.')
  const attempts = [anAttempt({ server: 'attic', outcome: 'connectError' }), anAttempt()]
  expect(story({ attempts })).toBe('Answered by GPU box 1. Tried before: attic (not reached).')
})

it('calls a stream that broke after a 200 what it is', () => {
  expect(story({ failure: 'truncated', outcome: 'truncated', reason: 'the server closed the connection' })).toBe(
    'GPU box 1 broke off its answer: the client got status 200, a part of it, and then an error: the server closed the connection.',
  )
})

it('tells a refusal of the orchestrator from one of a server', () => {
  const wrong = { failure: 'clientError', status: 404, reason: "model 'x' not found" } as const
  expect(story({ ...wrong, server: '', attempts: [] })).toBe("Refused by the orchestrator: model 'x' not found.")
  expect(story(wrong)).toBe("GPU box 1 found the request wrong: model 'x' not found.")
})

it('blames no server for what the orchestrator says of it', () => {
  const failed = { failure: 'serverError', status: 503 } as const
  expect(story({ ...failed, outcome: 'serverError', reason: 'out of memory' })).toBe('GPU box 1 failed: out of memory.')
  expect(story({ ...failed, outcome: 'shutting_down', reason: 'the orchestrator is shutting down' })).toBe(
    'No answer came from GPU box 1: the orchestrator is shutting down.',
  )
  expect(story({ ...failed, outcome: 'no_servers', server: '', attempts: [] })).toBe('No server could answer it.')
})

it('says where a client left, and what an operator ended', () => {
  expect(story({ failure: 'clientGone' })).toBe('The client left while GPU box 1 was answering.')
  expect(story({ failure: 'clientGone', firstEventSeconds: null })).toBe(
    'The client left while GPU box 1 had not answered yet.',
  )
  expect(story({ failure: 'clientGone', server: '', attempts: [] })).toBe(
    'The client left before a server had a place for it.',
  )
  expect(story({ failure: 'cancelled', reason: 'cancelled by an operator' })).toBe(
    'Ended early on GPU box 1: cancelled by an operator.',
  )
})

it('tells waiting in vain from a server that is silent', () => {
  expect(story({ failure: 'timeout', server: '', attempts: [] })).toBe('No server had a place for it in time.')
  expect(story({ failure: 'timeout' })).toBe('GPU box 1 did not answer in time.')
  expect(story({ failure: 'rateLimited' })).toBe('GPU box 1 takes no more for now.')
})
