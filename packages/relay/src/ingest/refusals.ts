/** Strangers must not fill the operator's journal: each reason is told at once, then counted. */

import type { RefusedStatus } from '../serve/status.ts'

/** A refused connection, or several for one reason. The address, the last one's, is for debugging only. */
export interface Refusal {
  readonly kind: 'refused'
  readonly why: string
  readonly count: number
  readonly peer: string
}

const EVERY_MS = 10_000

export class Refusals {
  readonly #now: () => number
  readonly #on: (refusal: Refusal) => void
  /** By reason; the reasons are ours and few. */
  readonly #told = new Map<string, { at: number; count: number; peer: string }>()

  /** Since the start; null: none. */
  status: RefusedStatus | null = null

  /** `now`: milliseconds since the epoch. */
  constructor(now: () => number, on: (refusal: Refusal) => void) {
    this.#now = now
    this.#on = on
  }

  note(why: string, peer: string): void {
    this.status = { count: (this.status?.count ?? 0) + 1, lastAt: this.#now(), why }
    const known = this.#told.get(why)
    if (known === undefined) {
      this.#told.set(why, { at: performance.now(), count: 0, peer })
      this.#on({ kind: 'refused', why, count: 1, peer })
    } else {
      known.count++
      known.peer = peer
    }
  }

  /** Tells what was counted, and forgets a reason that did not come again. To be called now and then. */
  look(): void {
    const now = performance.now()
    for (const [why, one] of this.#told) {
      if (now - one.at < EVERY_MS) continue
      if (one.count === 0) this.#told.delete(why)
      else this.#on({ kind: 'refused', why, count: one.count, peer: one.peer })
      one.at = now
      one.count = 0
    }
  }
}
