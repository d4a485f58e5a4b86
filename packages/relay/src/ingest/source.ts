/** The port through which events come. */
import type { Batch } from '../core/event.ts'
import type { Stream } from '../core/state.ts'
import type { StreamClaim } from '../store/store.ts'

/** Takes a batch; when it returns the batch is folded and its bytes may be used again. */
export type Sink = (batch: Batch) => void

/** Something that hears coturn. It never stops reading, whatever its sink or the store does. */
export interface Source {
  /** The streams it will speak for. */
  readonly claims: readonly StreamClaim[]
  /**
   * Begins to hear; `streams` answer the claims, in order, as they were left by the last run. Resolves once it is ready
   * for coturn; rejects with one line that says why it cannot be.
   */
  start(streams: readonly Stream[], sink: Sink): Promise<void>
  stop(): Promise<void>
}
