import type { SpotlightActionGroupData, SpotlightFilterFunction } from '@mantine/spotlight'

/** Only for who types: the palette begins as a list of places. */
export const ACTIONS = 'Actions'
const MOST_OF_GROUP = 7

/** Of each group those whose texts hold every word that was typed: those that hold them in their names first, and a few of many. */
export const search: SpotlightFilterFunction = (query, groups) => {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean)
  const all = groups as SpotlightActionGroupData[]
  return all
    .filter(({ group }) => words.length > 0 || group !== ACTIONS)
    .map(({ group, actions }) => ({ group, actions: matching(actions, words).slice(0, MOST_OF_GROUP) }))
    .filter(({ actions }) => actions.length > 0)
}

function matching(actions: SpotlightActionGroupData['actions'], words: readonly string[]) {
  const found = (texts: (string | undefined)[]) => {
    const text = texts.join(' ').toLowerCase()
    return words.every((word) => text.includes(word))
  }
  const named = actions.filter(({ label }) => found([label]))
  return [...named, ...actions.filter((one) => !named.includes(one) && found([one.label, one.description]))]
}
