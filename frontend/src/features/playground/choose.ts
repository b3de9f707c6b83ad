import type { FleetModel } from '../../api/types'
import type { Style } from './ask'

/** The model to begin with: one in memory before others, and one that makes text before one that seems to embed. */
export function defaultModel(models: readonly FleetModel[]): string | undefined {
  const rank = ({ name, servers }: FleetModel) =>
    (/embed|minilm|rerank/i.test(name) ? 2 : 0) + (Object.values(servers).some(({ loaded }) => loaded) ? 0 : 1)
  return [...models].sort((a, b) => rank(a) - rank(b))[0]?.name
}

/** The API styles that servers speak for a model. Of one that is not in the fleet, both: the error is to be seen. */
export function stylesOf(model: FleetModel | undefined): Style[] {
  const styles: Style[] = ['ollama', 'openai']
  return model ? styles.filter((style) => model[style]) : styles
}

export const styleFor = (model: FleetModel | undefined, wanted: Style): Style => {
  const styles = stylesOf(model)
  return styles.includes(wanted) ? wanted : (styles[0] ?? wanted)
}

/** Ids of the servers that have any of the models. */
export function serversOf(models: readonly (FleetModel | undefined)[]): string[] {
  return [...new Set(models.flatMap((model) => Object.keys(model?.servers ?? {})))].sort()
}
