import { screen, within } from '@testing-library/react'
import { expect, it } from 'vitest'
import type { AboutAnswer } from '../../api/types'
import { answering, show } from '../../test/render'
import { About } from './about'

const about: AboutAnswer = {
  version: '1.2.3',
  build: 'abcdef123456',
  python: '3.11.7',
  startedTime: new Date(Date.now() - 3_700_000).toISOString(),
  uptimeSeconds: 3700,
  addresses: ['http://10.0.0.5:5100', 'http://127.0.0.1:5100'],
  dataDir: '/var/lib/orchestrator',
  database: { kind: 'sqlite', location: '/var/lib/orchestrator/orchestrator.db', size: 53_200, schema: '0002' },
  access: 'token',
  policy: 'least-in-flight',
  variablePrefix: 'ORCHESTRATOR_',
  links: [{ label: 'Models, as Ollama lists them', url: '/api/tags' }],
}
const serving = (some: Partial<AboutAnswer> = {}) =>
  answering({ 'GET /about': () => ({ json: { ...about, ...some } }) })

it('tells what runs, since when and where its data are', async () => {
  serving()
  show(<About />)
  const program = within(await screen.findByRole('region', { name: 'Program' }))
  for (const text of ['1.2.3', 'abcdef123456', '3.11.7', '1 h 1 m', 'least-in-flight']) program.getByText(text)
  expect(program.getByRole('link', { name: 'Models, as Ollama lists them' })).toHaveAttribute('href', '/api/tags')
  const place = within(screen.getByRole('region', { name: 'Where it is' }))
  for (const text of [
    ...about.addresses,
    '/var/lib/orchestrator',
    'sqlite, schema 0002',
    '53.2 kB',
    'with the token that is set',
  ])
    place.getByText(text)
  for (const address of about.addresses) place.getByRole('button', { name: `Copy ${address}` })
})

it('says that only this machine is let in where no token is set, and knows no size as a dash', async () => {
  serving({ access: 'local', database: { ...about.database, size: null } })
  show(<About />)
  expect(await screen.findByText('from this machine only; no token is set')).toBeVisible()
  expect(screen.getByText('–')).toBeVisible()
})

it('gives base URLs for clients of both protocols to copy', async () => {
  serving()
  const { user } = show(<About />)
  const { origin } = location
  for (const [name, text] of [
    ['Ollama base URL', origin],
    ['OpenAI base URL', `${origin}/v1`],
    ['Ollama curl', `curl ${origin}/api/tags`],
    ['OpenAI curl', `curl ${origin}/v1/models`],
  ] as const) {
    expect(await screen.findByRole('region', { name })).toHaveTextContent(text)
    await user.click(screen.getByRole('button', { name: `Copy ${name}` }))
    expect(await navigator.clipboard.readText()).toBe(text)
  }
})

it('keeps the addresses for clients where the facts cannot be loaded', async () => {
  answering({ 'GET /about': () => ({ status: 404, json: {} }) })
  show(<About />)
  expect(await screen.findByText('What runs here could not be loaded')).toBeVisible()
  expect(screen.getByRole('region', { name: 'OpenAI base URL' })).toBeVisible()
})
