import type { ServerAnswer } from '../../api/types'

/**
 * For memo(): draws anew only where one of these members is another. A server is told anew with every check, ten times a
 * second in a large fleet, and most of what is shown of it stays.
 */
export const sameIn =
  (...members: readonly (keyof ServerAnswer)[]) =>
  (before: { server: ServerAnswer }, after: { server: ServerAnswer }) =>
    members.every((member) => before.server[member] === after.server[member])
