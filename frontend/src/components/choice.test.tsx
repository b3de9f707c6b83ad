import { screen } from '@testing-library/react'
import { useState } from 'react'
import { expect, it } from 'vitest'
import { show } from '../test/render'
import { Choice } from './choice'

const names = (count: number) => Array.from({ length: count }, (_, at) => `model-${at}`)

function Chosen({ data, first = null }: { data: string[]; first?: string | null }) {
  const [value, setValue] = useState<string | null>(first)
  return (
    <>
      <Choice label="Model" data={data} value={value} onChange={setValue} />
      <p>Chosen: {value ?? 'nothing'}</p>
    </>
  )
}
const field = () => screen.findByRole('combobox', { name: 'Model' })

it('takes the first match by Enter', async () => {
  const { user } = show(<Chosen data={['llama3.2', 'gemma3', 'gemma2']} />)
  await user.type(await field(), 'gem{Enter}')
  expect(screen.getByText('Chosen: gemma3')).toBeInTheDocument()
  expect(await field()).toHaveValue('gemma3')
})

it('takes nothing where nothing matches', async () => {
  const { user } = show(<Chosen data={['llama3.2']} />)
  await user.type(await field(), 'gem{Enter}')
  expect(screen.getByText('Chosen: nothing')).toBeInTheDocument()
})

it('keeps what is chosen when its name is typed once more', async () => {
  const { user } = show(<Chosen data={['llama3.2', 'gemma3']} first="gemma3" />)
  await user.clear(await field())
  await user.type(await field(), 'gemma3{Enter}')
  expect(screen.getByText('Chosen: gemma3')).toBeInTheDocument()
})

it('says how many of very many are left out, until fewer match', async () => {
  const { user } = show(<Chosen data={names(1300)} />)
  await user.click(await field())
  expect(await screen.findAllByRole('option')).toHaveLength(201)
  expect(screen.getByText('1,100 more: type to narrow')).toBeInTheDocument()
  await user.type(await field(), 'model-129')
  expect(screen.getAllByRole('option').map((one) => one.textContent)).toEqual(['model-129', ...names(1300).slice(1290)])
})
