import { Alert, Box, Button, Center, Group, Skeleton, Stack, Text, Title } from '@mantine/core'
import type { ReactNode } from 'react'
import { ApiError } from '../api/client'

/** Nothing is there yet, or nothing matches: what it would be, and one thing to do about it. */
export const Empty = ({
  icon,
  title,
  children,
  action,
  h1,
}: {
  icon?: ReactNode
  title: string
  children?: ReactNode
  action?: ReactNode
  h1?: boolean
}) => (
  <Center py={48} px="md">
    <Stack align="center" gap="xs" maw={560} w="100%">
      {icon && (
        <Box c="dimmed" aria-hidden="true">
          {icon}
        </Box>
      )}
      <Title order={h1 ? 1 : 2} fz="md" ta="center">
        {title}
      </Title>
      {children && (
        <Text size="sm" c="dimmed" ta="center" component="div" w="100%">
          {children}
        </Text>
      )}
      {action}
    </Stack>
  </Center>
)

/** What could not be fetched, and a way to try again. */
export const Failed = ({ what, error, onRetry }: { what: string; error: unknown; onRetry: () => void }) => (
  <Alert color="red" variant="outline" m="sm" title={`${what} could not be loaded`}>
    <Group justify="space-between" gap="sm">
      <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
        {error instanceof ApiError ? error.message : 'Something went wrong in this page.'}
      </Text>
      <Button size="compact-sm" variant="default" onClick={onRetry}>
        Try again
      </Button>
    </Group>
  </Alert>
)

/** Rows that stand where a list will be. */
export const Loading = ({ rows = 5, label }: { rows?: number; label: string }) => (
  <Stack gap={8} p="sm" role="status" aria-label={label}>
    {Array.from({ length: rows }, (_, row) => (
      // biome-ignore lint/suspicious/noArrayIndexKey: the rows are all the same
      <Skeleton key={row} height={28} />
    ))}
  </Stack>
)
