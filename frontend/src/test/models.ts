import type { FleetModel, WhereNow } from '../api/types'

/** A model that Ollama lists on gpu-1, with some of its members as told. */
export const aModel = (some: Partial<FleetModel> = {}): FleetModel => ({
  name: 'llama3.2:latest',
  size: 2_019_393_189,
  parameters: '3.2B',
  quantisation: 'Q4_K_M',
  contextLength: 131_072,
  sameEverywhere: true,
  servers: { 'gpu-1': { ollama: true } },
  ollama: goes('gpu-1'),
  openai: null,
  ...some,
})

export const goes = (...servers: string[]): WhereNow => ({ servers, waits: false, reason: '' })
