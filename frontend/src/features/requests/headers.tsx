import { Table, Text } from '@mantine/core'
import type { RequestDetail } from '../../api/types'

/** Without the values that may be secret; those never come to the page. */
export function Headers({ headers }: { headers: RequestDetail['headers'] }) {
  if (headers === null)
    return (
      <Text size="sm" c="dimmed">
        They were too large to keep.
      </Text>
    )
  if (headers.length === 0)
    return (
      <Text size="sm" c="dimmed">
        None.
      </Text>
    )
  return (
    <Table fz="xs" verticalSpacing={3} layout="fixed" aria-label="Headers of the client">
      <Table.Thead>
        <Table.Tr>
          <Table.Th w="38%">Name</Table.Th>
          <Table.Th>Value</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {headers.map(({ name, value }, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a header may be there more than once, and nothing moves
          <Table.Tr key={`${name} ${at}`}>
            <Table.Td className="mono">{name}</Table.Td>
            <Table.Td className="mono">
              {value ?? (
                <Text span size="xs" c="dimmed" fs="italic">
                  hidden
                </Text>
              )}
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  )
}
