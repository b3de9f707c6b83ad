import { Alert, Group, Loader, Stack, Text } from '@mantine/core'
import { lazy, memo, Suspense } from 'react'
import type { Names } from '../../api/server-names'
import { CopyIcon } from '../../components/copyable'
import { type Answer, isOver } from './answer'
import classes from './answer.module.css'
import { STYLES } from './ask'
import { Foot } from './foot'
import { parted } from './thinking'

const Markdown = lazy(() => import('./markdown'))

/** One answer as it grows, what the model was thinking folded away, and its figures. names: of servers by their ids. */
export const AnswerView = memo(function AnswerView({ answer, names }: { answer: Answer; names: Names }) {
  const { thinking, text } = parted(answer.text)
  const thought = answer.thinking || thinking
  return (
    <Stack gap={6} miw={0}>
      <Group justify="space-between" wrap="nowrap" mih={28}>
        <Text size="xs" fw={600} c="dimmed" style={{ overflowWrap: 'anywhere' }}>
          {answer.model}, {STYLES[answer.style].word}
        </Text>
        {isOver(answer) && text && <CopyIcon text={text} label="answer" />}
      </Group>
      {thought && (
        <details className={classes.thinking}>
          <summary>{text || isOver(answer) ? 'What it was thinking' : 'Thinking'}</summary>
          <div>{thought}</div>
        </details>
      )}
      {text && (
        <Suspense fallback={<div className={classes.plain}>{text}</div>}>
          <Markdown text={text} />
        </Suspense>
      )}
      {!isOver(answer) && <Loader size="xs" type="dots" aria-hidden="true" />}
      {answer.state === 'done' && !text && (
        <Text size="sm" c="dimmed">
          The answer is empty.
        </Text>
      )}
      {answer.error && (
        <Alert color="red" variant="outline" p="xs" style={{ overflowWrap: 'anywhere' }}>
          {answer.error}
        </Alert>
      )}
      {isOver(answer) && <Foot answer={answer} names={names} />}
    </Stack>
  )
})
