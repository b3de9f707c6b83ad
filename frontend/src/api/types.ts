// Made by generate_types.py from the Structs of the admin API; not to be edited.

export interface ErrorDetail {
  code: string
  message: string
  field: string | null
}

export interface ErrorBody {
  error: ErrorDetail
}

export interface LoadedModelAnswer {
  name: string
  size: number
  sizeVram: number
  expiresAt: string
  contextLength: number | null
}

export interface BreakerCounts {
  closed: number
  open: number
  halfOpen: number
}

export interface ServerAnswer {
  id: string
  url: string
  name: string
  type: 'auto' | 'ollama' | 'openai'
  apiKey: string | null
  headers: Record<string, string>
  maxConcurrency: number | null
  priority: number
  weight: number
  tags: string[]
  enabled: boolean
  modelsAllow: string[]
  modelsDeny: string[]
  verifyTls: boolean
  connectTimeoutSeconds: number | null
  firstEventTimeoutSeconds: number | null
  answerTimeoutSeconds: number | null
  idleTimeoutSeconds: number | null
  draining: boolean
  healthy: boolean
  status: string
  statusReason: string
  supportsOllama: boolean
  supportsV1: boolean
  kind: string
  version: string
  models: string[]
  v1Models: string[]
  loadedModels: LoadedModelAnswer[]
  inFlight: number
  lastResponseTime: number | null
  lastCheckTime: string | null
  breakers: BreakerCounts
  outcomes: Record<string, number>
}

export interface ModelAnswer {
  name: string
  modified: string
  size: number | null
  digest: string
  details: Record<string, unknown> | null
  loaded: boolean
  allowed: boolean
}

export interface V1ModelAnswer {
  name: string
  created: number | null
  ownedBy: string
  contextLength: number | null
  loaded: boolean
  allowed: boolean
}

export interface ModelsAnswer {
  models: ModelAnswer[]
  v1Models: V1ModelAnswer[]
}

export interface BreakerAnswer {
  server: string
  model: string | null
  state: 'closed' | 'open' | 'half-open'
  forced: boolean
  reason: string
  requests: number
  failures: number
  consecutiveFailures: number
  changedSecondsAgo: number
  nextTrySeconds: number | null
}

export interface AttemptAnswer {
  server: string
  outcome: string
  reason: string
  startedSeconds: number
  endedSeconds: number
}

export interface RequestAnswer {
  id: string
  time: number
  client: string
  dialect: string
  operation: string
  path: string
  model: string
  stream: boolean
  server: string
  outcome: string
  failure: 'cancelled' | 'clientError' | 'clientGone' | 'rateLimited' | 'serverError' | 'timeout' | 'truncated' | null
  status: number
  reason: string
  attempts: AttemptAnswer[]
  queuedSeconds: number | null
  connectedSeconds: number | null
  firstEventSeconds: number | null
  durationSeconds: number
  promptTokens: number | null
  completionTokens: number | null
}

export interface Header {
  name: string
  value: string | null
}

export interface RequestDetail {
  id: string
  time: number
  client: string
  dialect: string
  operation: string
  path: string
  model: string
  stream: boolean
  server: string
  outcome: string
  failure: 'cancelled' | 'clientError' | 'clientGone' | 'rateLimited' | 'serverError' | 'timeout' | 'truncated' | null
  status: number
  reason: string
  attempts: AttemptAnswer[]
  queuedSeconds: number | null
  connectedSeconds: number | null
  firstEventSeconds: number | null
  durationSeconds: number
  promptTokens: number | null
  completionTokens: number | null
  headers: Header[] | null
}

export interface InFlightAnswer {
  id: string
  time: number
  client: string
  dialect: string
  operation: string
  path: string
  model: string
  stream: boolean
  server: string
  phase: 'answering' | 'queued' | 'waiting'
  attempts: number
  ageSeconds: number
  idleSeconds: number | null
}

export interface RequestsAnswer {
  requests: RequestAnswer[]
  inFlight: InFlightAnswer[]
  total: number
}

export interface CancelAnswer {
  cancelled: number
}

export interface PointAnswer {
  time: number
  stepSeconds: number
  requests: number
  errors: Record<string, number>
  firstTokenP50Seconds: number | null
  firstTokenP95Seconds: number | null
  promptTokens: number
  completionTokens: number
  inFlight: number
  queued: number
  servers: number
  serversUp: number
  inFlightByServer: Record<string, number>
  recentFirstTokenP50Seconds: number | null
  recentFirstTokenP95Seconds: number | null
}

export interface CheckAnswer {
  time: number
  status: string
  reason: string
  seconds: number | null
}

export interface HistoryAnswer {
  points: PointAnswer[]
  checks: Record<string, CheckAnswer[]>
}

export interface ServerHistoryAnswer {
  server: string
  checks: CheckAnswer[]
}

export interface EventAnswer {
  number: number
  time: number
  kind: 'breaker' | 'modelLoaded' | 'modelUnloaded' | 'requestCancelled' | 'serverAdded' | 'serverChanged' | 'serverRemoved' | 'serverStatus' | 'started'
  level: 'error' | 'info' | 'warning'
  server: string | null
  model: string | null
  message: string
}

export interface ActivityAnswer {
  events: EventAnswer[]
}

export interface ModelOnServer {
  ollama?: boolean
  openai?: boolean
  loaded?: boolean
  denied?: boolean
}

export interface WhereNow {
  servers: string[]
  waits: boolean
  reason: string
}

export interface FleetModel {
  name: string
  size: number | null
  parameters: string
  quantisation: string
  contextLength: number | null
  sameEverywhere: boolean
  servers: Record<string, ModelOnServer>
  ollama: WhereNow | null
  openai: WhereNow | null
}

export interface FleetModelsAnswer {
  models: FleetModel[]
}

export interface EndpointAnswer {
  path: string
  ok: boolean
  status: number | null
  seconds: number | null
  says: string
}

export interface ConnectionAnswer {
  endpoints: EndpointAnswer[]
  status: string
  statusReason: string
  supportsOllama: boolean
  supportsV1: boolean
  kind: string
  version: string
  models: string[]
  v1Models: string[]
  loadedModels: string[]
  seconds: number
}

export interface DatabaseAnswer {
  kind: string
  location: string
  size: number | null
  schema: string
}

export interface Link {
  label: string
  url: string
}

export interface AboutAnswer {
  version: string
  build: string
  python: string
  startedTime: string
  uptimeSeconds: number
  addresses: string[]
  dataDir: string
  database: DatabaseAnswer
  access: 'local' | 'token'
  policy: string
  variablePrefix: string
  links: Link[]
}

export interface SessionAnswer {
  required: boolean
  signedIn: boolean
  expiresTime: string | null
}

export interface Hello {
  build: string
  time: number
  resumed: boolean
}

export interface ServerState {
  id: string
  status: string
  statusReason: string
  healthy: boolean
  draining: boolean
  enabled: boolean
  supportsOllama: boolean
  supportsV1: boolean
  kind: string
  version: string
  inFlight: number
  lastResponseTime: number | null
  lastCheckTime: string | null
  loadedModels: LoadedModelAnswer[]
  breakers: BreakerCounts
  outcomes: Record<string, number>
  checkSeconds: number | null
}

export interface ServerRemoved {
  id: string
}

export interface ModelsChanged {
  server: string
}

export interface RequestRows {
  requests: RequestAnswer[]
  dropped: number
}

export interface InFlightRows {
  inFlight: InFlightAnswer[]
  total: number
}

export interface Changed {
  what: 'servers'
}

export interface Resync {
}
