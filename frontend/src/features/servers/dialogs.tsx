import { useCallback, useState } from 'react'
import { useServers } from '../../api/queries'
import { ServerDialog } from './form/dialog'
import { ManageModels } from './manage/dialog'

export type Kind = 'edit' | 'models'
export type OpenDialog = (kind: Kind, id: string) => void

/** The dialogs of one server, once per page. Returns how to open one, and where they stand. */
export function useServerDialogs() {
  // Which one it was stays while it fades out.
  const [last, setLast] = useState<{ kind: Kind; id: string; shown: boolean } | null>(null)
  const open = useCallback<OpenDialog>((kind, id) => setLast({ kind, id, shown: true }), [])
  const close = useCallback(() => setLast((one) => one && { ...one, shown: false }), [])
  const { data } = useServers()
  const server = data?.find((one) => one.id === last?.id)
  const isShown = (kind: Kind) => last?.kind === kind && last.shown && server !== undefined
  const dialogs = (
    <>
      <ServerDialog {...(server && { server })} opened={isShown('edit')} onClose={close} />
      <ManageModels server={server} opened={isShown('models')} onClose={close} />
    </>
  )
  return { open, dialogs }
}
