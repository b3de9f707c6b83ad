import { expect, it } from 'vitest'
import type { Header, RequestDetail } from '../../api/types'
import { aRequest } from '../../test/requests'
import { commandOf } from './command'

const detail = (some: Partial<RequestDetail>, headers: Header[] | null = []): RequestDetail => ({
  ...aRequest(),
  headers,
  ...some,
})
const command = (request: RequestDetail) => commandOf(request, 'http://here:5100')

it('repeats path, model and what the answer should be like, with a mark where the body was', () => {
  expect(command(detail({}))).toBe(
    [
      'curl -N http://here:5100/api/chat',
      "-H 'Content-Type: application/json'",
      `-d '{"model":"llama3.2:3b","messages":[{"role":"user","content":"(the body is not kept: put yours here)"}]}'`,
    ].join(' \\\n  '),
  )
  expect(command(detail({ stream: false }))).toContain('"stream":false')
  expect(command(detail({ dialect: 'openai', path: '/v1/chat/completions' }))).toContain('"stream":true')
})

it('asks for a key only where one was given, and never holds one', () => {
  expect(command(detail({}, [{ name: 'accept', value: '*/*' }]))).not.toContain('KEY')
  expect(command(detail({}, [{ name: 'authorization', value: null }]))).toContain(
    '-H "Authorization: Bearer $YOUR_KEY"',
  )
  expect(command(detail({}, [{ name: 'X-Api-Key', value: null }]))).toContain('-H "X-Api-Key: $YOUR_KEY"')
  expect(command(detail({}, null))).not.toContain('KEY')
})

it('keeps the headers that change where it goes, and no others', () => {
  const given = command(
    detail({}, [
      { name: 'x-orchestrator-server', value: 'gpu-1' },
      { name: 'user-agent', value: 'some-sdk/1' },
    ]),
  )
  expect(given).toContain("-H 'x-orchestrator-server: gpu-1'")
  expect(given).not.toContain('some-sdk')
})

it.each([
  ['/api/generate', 'prompt'],
  ['/v1/completions', 'prompt'],
  ['/v1/messages', 'messages'],
  ['/v1/embeddings', 'input'],
  ['/v1/responses', 'input'],
])('puts the mark of %s into its %s', (path, member) => {
  expect(command(detail({ path }))).toContain(`"${member}":`)
})

it('lets no model name out of its quotes', () => {
  expect(command(detail({ model: "x'; reboot; '" }))).toContain(String.raw`x'\''; reboot; '\''`)
})
