import { Button, Group, Paper, Text } from '@mantine/core'
import { ApiError } from '../api/client'
import { clock } from '../lib/format'

/** What a query that has data from before says once it could not be fetched anew; the data stay. */
export const Stale = ({
  query,
  what,
}: {
  query: { isError: boolean; data: unknown; error: unknown; dataUpdatedAt: number; refetch: () => unknown }
  what: string
}) =>
  query.isError && query.data !== undefined ? (
    <Paper withBorder px="sm" py={6} role="status">
      <Group justify="space-between" gap="xs">
        <Group gap={8} wrap="nowrap">
          <span className="dot" data-tone="warn" aria-hidden="true" />
          <Text size="sm">
            {what} as of {clock(query.dataUpdatedAt / 1000)}, not refreshed since:{' '}
            {query.error instanceof ApiError ? query.error.message : 'something went wrong in this page'}
          </Text>
        </Group>
        <Button size="compact-sm" variant="default" onClick={() => void query.refetch()}>
          Try again
        </Button>
      </Group>
    </Paper>
  ) : null
