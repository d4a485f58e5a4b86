/** A coturn server as the endpoint knows it: its connections, its boots, and what may have been lost of it. */
import { appendScene, type GapReason, Kind } from '../core/event.ts'
import type { Stream } from '../core/state.ts'
import type { ServerStatus } from '../serve/status.ts'
import { Boots } from './boots.ts'
import { type GapNotice, Loss, type Outlet, type Voice } from './outlet.ts'
import { Sharing, type Speaker } from './sharing.ts'

export type ServerNotice =
  | { readonly kind: 'connected' | 'disconnected' | 'restarted'; readonly server: string }
  | GapNotice
  /** Two coturns report under this name; told again only after they have stopped. */
  | { readonly kind: 'shared'; readonly server: string; readonly peers: readonly string[] }

/** A starting coturn opens and closes connections; it is gone when it has had none for a while. */
const ABSENT_MS = 2000

/** Where the endpoint's events go out. */
export type ServerOutlet = Outlet<ServerNotice>

export class ServerLink implements Voice {
  readonly name: string
  readonly id: number
  lastEventAt = Number.NaN
  #version: string | null = null
  readonly #boots: Boots
  readonly #out: ServerOutlet
  readonly #connections = new Set<Speaker>()
  readonly #sharing = new Sharing()
  #isShared = false
  /** It was told to be connected. */
  #present = false
  /** When its last connection closed. */
  #leftAt = 0
  /** When it was dismissed; NaN: it may report. */
  #dismissedAt = Number.NaN
  readonly #loss: Loss

  constructor(stream: Stream, out: ServerOutlet) {
    this.name = stream.name
    this.id = stream.id
    this.#boots = new Boots(stream.boot)
    this.#out = out
    this.#loss = new Loss(this, out)
    // What was missed while no meter ran.
    if (stream.heardAt >= 0) this.lose(stream.heardAt, 'restart')
    this.tellLost()
  }

  status(): ServerStatus {
    return {
      kind: 'coturn',
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

  /** Events may have been lost since `began`. Connections that are closed together are one gap. */
  lose(began: number, why: GapReason): void {
    if (!this.#loss.isPending) setImmediate(() => this.tellLost())
    this.#loss.since(began, why)
  }

  tellLost(): void {
    this.#loss.tell(this.#boots.current)
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
