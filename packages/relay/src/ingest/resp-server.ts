/** A coturn server as the endpoint knows it: its connections, its boots, and what may have been lost of it. */
import { appendScene, type Batch, createBatch, type GapReason, gapReasons, Kind } from '../core/event.ts'
import type { Stream } from '../core/state.ts'
import { Boots } from './boots.ts'
import type { Sink } from './source.ts'

export type ServerNotice =
  | { readonly kind: 'connected' | 'disconnected' | 'restarted'; readonly server: string }
  | { readonly kind: 'gap'; readonly server: string; readonly why: GapReason; readonly ms: number }

/** A starting coturn opens and closes connections; it is gone when it has had none for a while. */
const ABSENT_MS = 2000
export const BATCH_EVENTS = 4096

/** Where events go. */
export class Outlet {
  readonly batch: Batch = createBatch(BATCH_EVENTS, new Uint8Array(0))
  readonly now: () => number
  readonly on: (notice: ServerNotice) => void
  sink: Sink = () => {}

  constructor(now: () => number, on: (notice: ServerNotice) => void) {
    this.now = now
    this.on = on
  }

  flush(): void {
    if (this.batch.length > 0) this.sink(this.batch)
    this.batch.length = 0
  }
}

export class ServerLink {
  readonly name: string
  readonly #stream: Stream
  readonly #boots: Boots
  readonly #out: Outlet
  readonly #connections = new Set<unknown>()
  /** It was told to be connected. */
  #present = false
  /** When its last connection closed. */
  #leftAt = 0
  /** What was not told yet: connections that are closed together are one gap. */
  #lost: { began: number; why: GapReason } | undefined

  constructor(stream: Stream, out: Outlet) {
    this.name = stream.name
    this.#stream = stream
    this.#boots = new Boots(stream.boot)
    this.#out = out
    // What was missed while no meter ran.
    if (stream.heardAt >= 0) this.lose(stream.heardAt, 'restart')
    this.tellLost()
  }

  joined(connection: unknown): void {
    this.#connections.add(connection)
    if (!this.#present) this.#out.on({ kind: 'connected', server: this.name })
    this.#present = true
  }

  left(connection: unknown): void {
    this.#connections.delete(connection)
    this.#boots.closed(connection)
    this.#endBoots()
    if (this.#connections.size === 0) this.#leftAt = performance.now()
  }

  /** What is appended next was said on this connection. */
  speaks(connection: unknown, at: number): void {
    this.#scene(this.#boots.event(connection), at)
  }

  /** `KEYS` came: what was heard before it belongs to what was before. */
  keys(): void {
    this.#boots.keys()
    this.#endBoots()
  }

  /** Events may have been lost since `began`. */
  lose(began: number, why: GapReason): void {
    if (this.#lost === undefined) setImmediate(() => this.tellLost())
    this.#lost = { began: Math.min(began, this.#lost?.began ?? began), why }
  }

  tellLost(): void {
    if (this.#lost === undefined) return
    const { began, why } = this.#lost
    const now = this.#out.now()
    this.#lost = undefined
    this.#scene(this.#boots.current, now)
    appendScene(this.#out.batch, Kind.gap, began, now, gapReasons.indexOf(why))
    this.#out.flush()
    this.#out.on({ kind: 'gap', server: this.name, why, ms: now - began })
  }

  noteAbsence(): void {
    if (!this.#present || this.#connections.size > 0 || performance.now() - this.#leftAt < ABSENT_MS) return
    this.#present = false
    this.#out.on({ kind: 'disconnected', server: this.name })
  }

  #endBoots(): void {
    for (const boot of this.#boots.over()) {
      this.#scene(this.#boots.current, this.#out.now())
      appendScene(this.#out.batch, Kind.restarted, boot)
      this.#out.flush()
      this.#out.on({ kind: 'restarted', server: this.name })
    }
  }

  /** A gap stands before all that was heard after it. */
  #scene(boot: number, at: number): void {
    this.tellLost()
    appendScene(this.#out.batch, Kind.tick, at)
    appendScene(this.#out.batch, Kind.from, this.#stream.id, boot)
  }
}
