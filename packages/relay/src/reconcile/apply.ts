/** Puts records right in a data folder on which no meter runs. */
import { type Outcomes, type Reconciliation, reconcile } from '../core/reconcile.ts'
import { restore } from '../core/restore.ts'
import { createState, type State, take } from '../core/state.ts'
import { FolderFault, holdFolder, ledgerFile } from '../folder.ts'
import { Ledger, LedgerFault, type LedgerOptions, openDatabase } from '../store/ledger.ts'
import type { StreamClaim } from '../store/store.ts'

/** As a running meter would: the same fold, each part in one transaction. Throws `FolderFault`, also when one runs. */
export function* reconcileFolder(
  folder: string,
  options: LedgerOptions,
  parts: readonly Reconciliation[],
  now: number,
): Generator<Outcomes> {
  const release = holdFolder(folder)
  let ledger: Ledger | undefined
  try {
    ledger = new Ledger(openDatabase(ledgerFile(folder)), options)
    const state = stateOf(ledger, now)
    for (const part of parts) {
      const outcomes = reconcile(state, part, ledger.recall(part))
      ledger.commit(take(state))
      yield outcomes
    }
  } catch (error) {
    if (error instanceof LedgerFault) throw new FolderFault(error.message)
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SQLITE_ERROR') throw error
    throw new FolderFault(`${ledgerFile(folder)}: cannot be changed (${(error as Error).message})`)
  } finally {
    ledger?.close()
    release()
  }
}

function stateOf(ledger: Ledger, now: number): State {
  const heard = 'SELECT source, name, boot_aware, version FROM stream WHERE heard_at IS NOT NULL ORDER BY id'
  const claims = ledger.db.prepare(heard).all()
  const saved = ledger.restore(
    claims.map(({ source, name, boot_aware, version }): StreamClaim => {
      const own = source === 'log' ? { hasOwnTime: true } : {}
      return { source, name, bootAware: boot_aware === 1, version, ...own } as StreamClaim
    }),
  )
  const state = createState()
  restore(state, saved)
  // Nothing is heard now: when a meter starts again, its gap begins where it would have begun.
  for (const stream of state.streams.values()) {
    stream.deafSince = stream.heardAt
    stream.isAwaited = true
  }
  state.clock.now = Math.max(now, Number.isNaN(state.clock.now) ? now : state.clock.now)
  return state
}
