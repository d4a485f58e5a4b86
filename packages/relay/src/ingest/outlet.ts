/** Where a source's events go out, and what it says may have been lost. */
import { appendScene, type Batch, createBatch, type GapReason, gapReasons, Kind } from '../core/event.ts'
import type { Sink } from './source.ts'

/** Who speaks: a stream of events as its source knows it. */
export interface Voice {
  readonly name: string
  readonly id: number
  /** When the last event of an allocation was heard; NaN: none in this run. */
  lastEventAt: number
}

export interface GapNotice {
  readonly kind: 'gap'
  readonly server: string
  readonly why: GapReason
  readonly ms: number
}

/** Sees each batch before the sink does; valid only now. `at`: milliseconds since the epoch. */
export type Tap = (server: string, at: number, batch: Batch) => void

export const BATCH_EVENTS = 4096

export class Outlet<Notice = never> {
  readonly batch: Batch = createBatch(BATCH_EVENTS, new Uint8Array(0))
  readonly now: () => number
  readonly on: (notice: Notice | GapNotice) => void
  sink: Sink = () => {}
  tap: Tap | undefined
  /** Whose events the batch holds, and their time. */
  #voice: Voice | undefined
  #at = 0

  constructor(now: () => number, on: (notice: Notice | GapNotice) => void) {
    this.now = now
    this.on = on
  }

  /** What is appended next was said by this boot. */
  scene(voice: Voice, boot: number, at: number): void {
    appendScene(this.batch, Kind.from, voice.id, boot)
    appendScene(this.batch, Kind.tick, at)
    this.#voice = voice
    this.#at = at
  }

  /** Before any tick, of any server: what a refresh in the gap would have kept must not run out by it (rule R14). */
  gap(voice: Voice, boot: number, began: number, ended: number, why: GapReason): void {
    appendScene(this.batch, Kind.from, voice.id, boot)
    appendScene(this.batch, Kind.gap, began, ended, gapReasons.indexOf(why))
    this.#voice = voice
    this.#at = ended
  }

  /** It is not heard since then, until a gap from then on is told. */
  deaf(voice: Voice, boot: number, since: number): void {
    appendScene(this.batch, Kind.from, voice.id, boot)
    appendScene(this.batch, Kind.deaf, since)
    this.#voice = voice
    this.#at = since
    this.flush()
  }

  flush(): void {
    const { batch } = this
    if (batch.length === 0) return
    const voice = this.#voice!
    if (holdsEvent(batch)) voice.lastEventAt = this.#at
    this.tap?.(voice.name, this.#at, batch)
    this.sink(batch)
    batch.length = 0
  }
}

/** Nearly always the last one is. */
export function holdsEvent({ kind, length }: Batch): boolean {
  for (let i = length - 1; i >= 0; i--) if (kind[i]! >= Kind.opened && kind[i]! < Kind.malformed) return true
  return false
}

/** What may have been lost of a stream and was not told yet: what is lost together is one gap. */
export class Loss {
  readonly #voice: Voice
  readonly #out: Outlet
  #lost: { began: number; why: GapReason } | undefined

  constructor(voice: Voice, out: Outlet) {
    this.#voice = voice
    this.#out = out
  }

  get isPending(): boolean {
    return this.#lost !== undefined
  }

  /** Events may have been lost since then. */
  since(began: number, why: GapReason): void {
    this.#lost = { began: Math.min(began, this.#lost?.began ?? began), why }
  }

  /** It is over. `boot`: the one that is current. */
  tell(boot: number): void {
    if (this.#lost === undefined) return
    const { began, why } = this.#lost
    const now = this.#out.now()
    this.#lost = undefined
    this.#out.gap(this.#voice, boot, began, now, why)
    this.#out.flush()
    this.#out.on({ kind: 'gap', server: this.#voice.name, why, ms: now - began })
  }
}
