import { Group, Text } from '@mantine/core'
import { sentence } from '../../../lib/format'

/** What to know of the field above it. */
export const Note = ({ children }: { children: string }) => (
  <Group gap={6} wrap="nowrap" role="status">
    <span className="dot" data-tone="warn" aria-hidden="true" />
    <Text size="xs">{children}</Text>
  </Group>
)

/** What a test or the last probe found. */
export type Found = { status: string; statusReason: string } | undefined

/** That the variable is missing; null where nothing says so. Only the first of several that are missing is told. */
export function missingNote(variable: string, found: Found): string | null {
  if (found?.status !== 'configError' || !variable) return null
  const words = found.statusReason.split(/[^A-Za-z0-9_]+/)
  return words.includes(variable) ? `${sentence(found.statusReason)}. Set it and restart the orchestrator.` : null
}
