/** A coturn server as the endpoint knows it: its connections, its boots, and what may have been lost of it. */
import { appendScene, type Batch, createBatch, type GapReason, gapReasons, Kind } from '../core/event.ts'
import type { Stream } from '../core/state.ts'
import type { ServerStatus } from '../serve/status.ts'
import { Boots } from './boots.ts'
import { Sharing, type Speaker } from './sharing.ts'
import type { Sink } from './source.ts'

export type ServerNotice =
  | { readonly kind: 'connected' | 'disconnected' | 'restarted'; readonly server: string }
  | { readonly kind: 'gap'; readonly server: string; readonly why: GapReason; readonly ms: number }
  /** Two coturns report under this name; told again only after they have stopped. */
  | { readonly kind: 'shared'; readonly server: string; readonly peers: readonly string[] }

/** Sees each batch before the sink does; valid only now. `at`: milliseconds since the epoch. */
export type Tap = (server: string, at: number, batch: Batch) => void

/** A starting coturn opens and closes connections; it is gone when it has had none for a while. */
const ABSENT_MS = 2000
export const BATCH_EVENTS = 4096

/** Where events go. */
export class Outlet {
  readonly batch: Batch = createBatch(BATCH_EVENTS, new Uint8Array(0))
  readonly now: () => number
  readonly on: (notice: ServerNotice) => void
  sink: Sink = () => {}
  tap: Tap | undefined
  /** Whose events the batch holds, and their time. */
  #server: ServerLink | undefined
  #at = 0

  constructor(now: () => number, on: (notice: ServerNotice) => void) {
    this.now = now
    this.on = on
  }

  /** What is appended next was said by a connection of this boot. */
  scene(server: ServerLink, boot: number, at: number): void {
    appendScene(this.batch, Kind.tick, at)
    appendScene(this.batch, Kind.from, server.id, boot)
    this.#server = server
    this.#at = at
  }

  /** Before any tick, of any server: what a refresh in the gap would have kept must not run out by it (rule R14). */
  gap(server: ServerLink, boot: number, began: number, ended: number, why: GapReason): void {
    appendScene(this.batch, Kind.from, server.id, boot)
    appendScene(this.batch, Kind.gap, began, ended, gapReasons.indexOf(why))
    this.#server = server
    this.#at = ended
  }

  flush(): void {
    const { batch } = this
    if (batch.length === 0) return
    const server = this.#server!
    if (holdsEvent(batch)) server.lastEventAt = this.#at
    this.tap?.(server.name, this.#at, batch)
    this.sink(batch)
    batch.length = 0
  }
}

/** Nearly always the last one is. */
function holdsEvent({ kind, length }: Batch): boolean {
  for (let i = length - 1; i >= 0; i--) if (kind[i]! >= Kind.opened && kind[i] !== Kind.malformed) return true
  return false
}

export class ServerLink {
  readonly name: string
  readonly id: number
  /** When the last event of an allocation was heard; NaN: none in this run. */
  lastEventAt = Number.NaN
  #version: string | null = null
  readonly #boots: Boots
  readonly #out: Outlet
  readonly #connections = new Set<Speaker>()
  readonly #sharing = new Sharing()
  #isShared = false
  /** It was told to be connected. */
  #present = false
  /** When its last connection closed. */
  #leftAt = 0
  /** When it was dismissed; NaN: it may report. */
  #dismissedAt = Number.NaN
  /** What was not told yet: connections that are closed together are one gap. */
  #lost: { began: number; why: GapReason } | undefined

  constructor(stream: Stream, out: Outlet) {
    this.name = stream.name
    this.id = stream.id
    this.#boots = new Boots(stream.boot)
    this.#out = out
    // What was missed while no meter ran.
    if (stream.heardAt >= 0) this.lose(stream.heardAt, 'restart')
    this.tellLost()
  }

  status(): ServerStatus {
    return {
      name: this.name,
      version: this.#version,
      connections: this.#connections.size,
      boot: this.#boots.current,
      lastEventAt: this.lastEventAt,
      shared: this.#isShared,
    }
  }

  /** It may report, again perhaps. */
  admit(version: string | null): void {
    this.#version = version
    if (this.#dismissedAt >= 0 && this.#boots.current > 0) this.lose(this.#dismissedAt, 'connection')
    this.#dismissedAt = Number.NaN
  }

  /** It may not report any more. */
  dismiss(): void {
    this.#dismissedAt = this.#out.now()
    if (this.#present) this.#out.on({ kind: 'disconnected', server: this.name })
    this.#present = false
  }

  joined(connection: Speaker): void {
    this.#connections.add(connection)
    if (!this.#present) this.#out.on({ kind: 'connected', server: this.name })
    this.#present = true
  }

  left(connection: Speaker): void {
    this.#connections.delete(connection)
    this.#sharing.closed(connection)
    this.#boots.closed(connection)
    this.#endBoots()
    if (this.#connections.size === 0) this.#leftAt = performance.now()
  }

  /** What is appended next was said on this connection. */
  speaks(connection: Speaker, at: number): void {
    const boot = this.#boots.event(connection)
    this.#sharing.speaks(connection, boot, at)
    this.#scene(boot, at)
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
    this.#out.gap(this, this.#boots.current, began, now, why)
    this.#out.flush()
    this.#out.on({ kind: 'gap', server: this.name, why, ms: now - began })
  }

  /** To be called now and then. */
  look(): void {
    this.#noteAbsence()
    this.#noteSharing()
  }

  #noteAbsence(): void {
    if (!this.#present || this.#connections.size > 0 || performance.now() - this.#leftAt < ABSENT_MS) return
    this.#present = false
    this.#out.on({ kind: 'disconnected', server: this.name })
  }

  #noteSharing(): void {
    const peers = this.#sharing.peers(this.#out.now())
    const isShared = peers.length > 0
    if (isShared && !this.#isShared) this.#out.on({ kind: 'shared', server: this.name, peers })
    this.#isShared = isShared
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
    this.#out.scene(this, boot, at)
  }
}
