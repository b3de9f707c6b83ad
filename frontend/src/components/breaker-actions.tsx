import { Button } from '@mantine/core'
import { useState } from 'react'
import type { Breaker } from '../api/breakers'
import styles from './breaker-actions.module.css'
import { BreakerDialog } from './breaker-dialog'
import { type Action, nameOf, wordOf } from './breaker-words'

/** Open, close and reset a breaker, each after a confirmation. serverName: where it has one beside its id. onDone: it was told; the buttons may be gone then. */
export function BreakerActions({
  breaker,
  serverName,
  onDone,
}: {
  breaker: Breaker
  serverName?: string | undefined
  onDone?: () => void
}) {
  const [asked, setAsked] = useState<Action | null>(null)
  const button = (action: Action) => (
    <Button
      size="compact-xs"
      mih={24}
      variant="default"
      aria-label={`${wordOf(action, breaker)} the breaker of ${nameOf(breaker, serverName)}`}
      onClick={() => setAsked(action)}
    >
      {wordOf(action, breaker)}
    </Button>
  )
  return (
    <div className={styles.actions}>
      {breaker.state !== 'closed' && button('close')}
      {!breaker.forced && button('open')}
      {button('reset')}
      {asked && (
        <BreakerDialog
          breaker={breaker}
          serverName={serverName}
          action={asked}
          onClose={() => setAsked(null)}
          onDone={onDone ?? (() => {})}
        />
      )}
    </div>
  )
}
