/** Which start of its server a connection belongs to (rule R3). */

interface Boot {
  readonly number: number
  /** Connections that have sent an event of this boot. */
  readonly connections: Set<unknown>
  heard: boolean
}

/**
 * Follows the connections of one server. A starting coturn asks for `KEYS` before its first event; its lasting
 * connections may be open before that, so a connection joins the boot that is current when it sends its first event.
 */
export class Boots {
  #boots: Boot[]
  readonly #of = new Map<unknown, Boot>()

  /** `known`: the boot that was current when the last run ended, 0 for none. */
  constructor(known: number) {
    this.#boots = [{ number: known, connections: new Set(), heard: known > 0 }]
  }

  get current(): number {
    return this.#boots.at(-1)!.number
  }

  /** `KEYS` came: a coturn has started, unless the present boot has not sent anything yet. */
  keys(): void {
    const last = this.#boots.at(-1)!
    if (!last.heard && last.number > 0) return
    this.#boots.push({ number: last.number + 1, connections: new Set(), heard: false })
  }

  /** An event came on this connection; returns its boot. */
  event(connection: unknown): number {
    const known = this.#of.get(connection)
    if (known !== undefined) return known.number
    // A connection without any `KEYS` before: the meter was started, or coturn reconnects. The boot goes on.
    if (this.current === 0) this.keys()
    const boot = this.#boots.at(-1)!
    boot.heard = true
    boot.connections.add(connection)
    this.#of.set(connection, boot)
    return boot.number
  }

  closed(connection: unknown): void {
    this.#of.get(connection)?.connections.delete(connection)
    this.#of.delete(connection)
  }

  /** Boots that are over now: a later one has begun and their connections are closed. Each is told once. */
  over(): number[] {
    const over = this.#boots.slice(0, -1).filter((boot) => boot.connections.size === 0)
    this.#boots = this.#boots.filter((boot) => !over.includes(boot))
    return over.filter((boot) => boot.number > 0).map((boot) => boot.number)
  }
}
