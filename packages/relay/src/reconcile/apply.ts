/** Puts records right in a data folder on which no meter runs. */
import { type Outcomes, type Reconciliation, reconcile } from '../core/reconcile.ts'
import { restore } from '../core/restore.ts'
import { createState, take } from '../core/state.ts'
import { holdFolder, ledgerFile } from '../folder.ts'
import { Ledger, type LedgerOptions, openDatabase } from '../store/ledger.ts'
import type { StreamClaim } from '../store/store.ts'

/** As a running meter would: the same fold, one transaction. Throws when one runs. */
export function reconcileFolder(
  folder: string,
  options: LedgerOptions,
  asked: readonly Reconciliation[],
  now: number,
): Outcomes[] {
  const release = holdFolder(folder)
  try {
    const ledger = new Ledger(openDatabase(ledgerFile(folder)), options)
    try {
      return asked.map((one) => reconcileLedger(ledger, one, now))
    } finally {
      ledger.close()
    }
  } finally {
    release()
  }
}

function reconcileLedger(ledger: Ledger, asked: Reconciliation, now: number): Outcomes {
  const claims = ledger.db.prepare('SELECT source, name, boot_aware, version FROM stream ORDER BY id').all()
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
  const outcomes = reconcile(state, asked, ledger.recall(asked))
  ledger.commit(take(state))
  return outcomes
}
