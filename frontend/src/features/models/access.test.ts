import { expect, it } from 'vitest'
import { aModel, goes } from '../../test/models'
import { accessOf } from './access'

const origin = 'http://10.0.0.1:5100'

it('tells both ways to a model that is served in both protocols', () => {
  const [ollama, openai] = accessOf(aModel({ openai: goes('gpu-1') }), origin)
  expect(ollama).toMatchObject({ name: 'Ollama', baseUrl: origin })
  expect(openai).toMatchObject({ name: 'OpenAI', baseUrl: `${origin}/v1` })
  expect(ollama?.command).toContain(`${origin}/api/chat`)
  expect(openai?.command).toContain(`${origin}/v1/chat/completions`)
})

it('leaves out a protocol that no server has it in', () => {
  expect(accessOf(aModel(), origin).map((one) => one.family)).toEqual(['ollama'])
})

it('asks a model for embeddings that makes nothing else', () => {
  const [ollama, openai] = accessOf(aModel({ name: 'nomic-embed-text', openai: goes('gpu-1') }), origin)
  expect(ollama?.command).toContain(`${origin}/api/embed`)
  expect(openai?.command).toContain(`${origin}/v1/embeddings`)
})

it('keeps a hostile name of a model inside the quotes of the shell', () => {
  const [ollama] = accessOf(aModel({ name: "x'; reboot; '" }), origin)
  expect(ollama?.command).toContain(String.raw`"model":"x'\''; reboot; '\''"`)
})
