/** The port behind which rows are kept. The smallest interface the meter needs; sqlite.ts is the embedded one. */
import type { Recalled, Reconciliation } from '../core/reconcile.ts'
import type { Saved } from '../core/restore.ts'
import type { Cut } from '../core/state.ts'

/** A stream that a source will speak for. */
export interface StreamClaim {
  /** What kind of source: `resp`, `redis`, `log`, `recording`. */
  readonly source: string
  /** Whom it speaks for: a server's name, a file's kind. */
  readonly name: string
  readonly bootAware: boolean
  /** It tells the time itself, not the meter's clock. */
  readonly hasOwnTime?: true
  /** coturn's version, if the operator said. */
  readonly version: string | null
}

export interface Committed {
  /** Sessions whose last record was completed and in which nothing that counts is open any more. */
  readonly ended: readonly number[]
}

export interface Store {
  /** Claims the streams, in order, and gives what the fold needs to go on; nothing else is loaded. */
  restore(claims: readonly StreamClaim[]): Promise<Saved>
  /** Writes a cut in one transaction; when it fails, nothing of it is written and it may be given again. */
  commit(cut: Cut): Promise<Committed>
  /** The allocations that this is about as they are stored; those that are not there are left out. */
  recall(asked: Reconciliation): Promise<readonly Recalled[]>
  close(): Promise<void>
}

/** The buffers of a cut, to be handed over instead of copied. */
export function buffersOf(cut: Cut): ArrayBuffer[] {
  return [cut.moves, cut.text, cut.facts, cut.live, cut.usage, cut.dropped].map((one) => one.data.buffer as ArrayBuffer)
}
