import { type QueryClient, queryOptions, useQuery } from '@tanstack/react-query'
import { told } from './breakers'
import { api } from './client'
import { followed } from './followed'
import type {
  AboutAnswer,
  ActivityAnswer,
  BreakerAnswer,
  FleetModelsAnswer,
  HistoryAnswer,
  ModelsAnswer,
  RequestDetail,
  RequestsAnswer,
  ServerAnswer,
  ServerHistoryAnswer,
  SessionAnswer,
} from './types'

const part = encodeURIComponent

/** Every query of the admin API by its key; the live stream patches or invalidates the same keys. */
export const queries = {
  session: () =>
    queryOptions({ queryKey: ['session'], queryFn: () => api<SessionAnswer>('/session'), staleTime: 60_000 }),
  about: () => queryOptions({ queryKey: ['about'], queryFn: () => api<AboutAnswer>('/about') }),
  servers: () =>
    queryOptions({ queryKey: ['servers'], queryFn: () => followed(() => api<ServerAnswer[]>('/servers')) }),
  serverModels: (id: string) =>
    queryOptions({ queryKey: ['server-models', id], queryFn: () => api<ModelsAnswer>(`/servers/${part(id)}/models`) }),
  serverHistory: (id: string) =>
    queryOptions({
      queryKey: ['server-history', id],
      queryFn: () => api<ServerHistoryAnswer>(`/servers/${part(id)}/history`),
    }),
  fleetModels: () => queryOptions({ queryKey: ['models'], queryFn: () => api<FleetModelsAnswer>('/models') }),
  breakers: () =>
    queryOptions({
      queryKey: ['breakers'],
      queryFn: async () => (await followed(() => api<BreakerAnswer[]>('/breakers'))).map(told),
    }),
  requests: () => queryOptions({ queryKey: ['requests'], queryFn: () => api<RequestsAnswer>('/requests') }),
  request: (id: string) =>
    queryOptions({ queryKey: ['request', id], queryFn: () => api<RequestDetail>(`/requests/${part(id)}`) }),
  activity: () =>
    queryOptions({
      queryKey: ['activity'],
      queryFn: () => followed(() => api<ActivityAnswer>('/activity?limit=100')),
    }),
  history: (seconds: number) =>
    queryOptions({
      queryKey: ['history', seconds],
      queryFn: () => api<HistoryAnswer>(`/history?seconds=${seconds}`),
    }),
}

export const useServers = () => useQuery(queries.servers())

/** Fetch anew what a change of servers touches. */
export function refreshServers(client: QueryClient): Promise<unknown> {
  return Promise.all(['servers', 'models', 'breakers'].map((key) => client.invalidateQueries({ queryKey: [key] })))
}
