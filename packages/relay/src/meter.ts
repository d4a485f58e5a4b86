/**
 * READ THIS FIRST: the whole way of an event, on one screen.
 *
 *   coturn --> source --batches--> fold --> state --cut--> store (one transaction) --> readers, by their own connection
 *
 * The fold is synchronous and pure, and is done when the source's read returns. Every 50 ms, when no commit is in
 * flight, what has changed is cut out of the state and committed; meanwhile the fold goes on. A commit that fails is
 * tried again with the same cut, and what changes meanwhile waits for the next: nothing queues, nothing is lost but by
 * a bound.
 */

import { setTimeout as wait } from 'node:timers/promises'
import { CommitTimes } from './commit-times.ts'
import { fold, passTime } from './core/allocation.ts'
import { appendScene, createBatch, gapReasons, Kind } from './core/event.ts'
import { type Outcomes, type Reconciliation, reconcile } from './core/reconcile.ts'
import { restore } from './core/restore.ts'
import { type Cut, createState, pendingRows, type Rules, type State, type Stream, take } from './core/state.ts'
import type { Clock } from './ingest/clock.ts'
import type { Source } from './ingest/source.ts'
import type { Committed, Store, StreamClaim } from './store/store.ts'

export interface MeterOptions {
  readonly source: Source
  readonly store: Store
  readonly clock: Clock
  readonly rules?: Partial<Rules>
  /** Varies the hash table. */
  readonly seed?: number
  readonly committed?: (committed: Committed) => void
  /** A commit failed and will be tried again; the message is the store's own. */
  readonly failed?: (message: string) => void
}

export interface Meter {
  /** What is known now; to be looked at, not changed. */
  readonly state: State
  readonly commits: CommitTimes
  /** Takes in streams that the source will speak for from now on. */
  claim(claims: readonly StreamClaim[]): Promise<readonly Stream[]>
  /** Puts records right by what a second source heard, one request after the other; resolves when that is committed. */
  reconcile(asked: Reconciliation): Promise<Outcomes>
  /** Stops hearing, commits what is known, closes the store. */
  stop(): Promise<void>
}

const COMMIT_MS = 50
/** Also without events: what is known to be complete moves on, so that a gap after a crash is not longer than this. */
const IDLE_COMMIT_MS = 5000
const RETRY_MS = 1000
/** Rows that nothing was written to are not resident; growing by copies would leave as much again behind. */
const CAPACITY = 2 ** 17

export async function startMeter(options: MeterOptions): Promise<Meter> {
  const { source, store, clock } = options
  const state = createState(options.rules, options.seed, CAPACITY)
  const saved = await store.restore(source.claims)
  restore(state, saved)
  const jump = createBatch(16, new Uint8Array(0))
  await source.start(saved.streams, (batch) => fold(state, batch))

  let failedCut: Cut | undefined
  let inFlight: Promise<void> | undefined
  let lastTry = performance.now()
  const commits = new CommitTimes()
  let cuts = 0
  let reconciling: Promise<unknown> = Promise.resolve()
  const commit = async () => {
    if (failedCut === undefined) cuts++
    const cut = failedCut ?? take(state)
    lastTry = performance.now()
    try {
      const committed = await store.commit(cut)
      commits.note((performance.now() - lastTry) / 1000)
      failedCut = undefined
      options.committed?.(committed)
    } catch (error) {
      failedCut = cut
      options.failed?.((error as Error).message)
    }
    inFlight = undefined
  }
  /** Resolves when all that is known now is committed. */
  const stored = async () => {
    const next = cuts + 1
    while (commits.count < next) await wait(COMMIT_MS, undefined, { ref: false })
  }
  const putRight = async (asked: Reconciliation) => {
    const outcomes = reconcile(state, asked, await store.recall(asked))
    const { completions, additions } = outcomes
    if ([...completions, ...additions].includes('whole')) await stored()
    return outcomes
  }
  const isDue = () => {
    const since = performance.now() - lastTry
    if (failedCut !== undefined) return since > RETRY_MS
    return pendingRows(state) > 0 || since > IDLE_COMMIT_MS
  }
  const beat = () => {
    if (clock.jumped()) {
      // Lifetimes cannot be trusted across a jump of the clock: it is a gap, and so nothing expires by it (rule R14).
      const began = clock.now()
      const now = clock.setRight()
      for (const { id, boot, time } of state.streams.values()) {
        if (time !== null) continue
        appendScene(jump, Kind.from, id, boot)
        appendScene(jump, Kind.gap, began, now, gapReasons.indexOf('clock'))
        fold(state, jump)
      }
    }
    passTime(state, clock.now())
    if (inFlight === undefined && isDue()) inFlight = commit()
  }
  const timer = setInterval(beat, COMMIT_MS)

  return {
    state,
    commits,
    async claim(claims) {
      const more = await store.restore(claims)
      restore(state, more)
      return more.streams
    },
    reconcile(asked) {
      const outcomes = reconciling.then(() => putRight(asked))
      reconciling = outcomes.catch(() => {})
      return outcomes
    },
    async stop() {
      await source.stop()
      clearInterval(timer)
      await inFlight
      if (failedCut) await commit()
      if (failedCut === undefined) await commit()
      await store.close()
    },
  }
}
