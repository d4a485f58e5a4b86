/** What the look itself has made the server do, so that it is not taken for the load of others. */

/** Names of our connections; of those of a look that logs every command for moments. */
export const OWN_NAME = /^fettle-(?:logging-)?\d+$/
export const LOGGING_NAME = /^fettle-logging-\d+$/

export interface Own {
  /** Calls by the name that INFO counts them under, whole and by subcommand: `config` and `config|get`. */
  readonly commands: ReadonlyMap<string, number>
  /** What we have sent at once, which the server mostly reads at once. */
  readonly reads: number
  readonly bytesIn: number
  readonly bytesOut: number
}

export const nothingOwn: Own = { commands: new Map(), reads: 0, bytesIn: 0, bytesOut: 0 }

/** All of it, as seen on the client's side. */
export class OwnCount {
  readonly #commands = new Map<string, number>()
  #reads = 0

  send(commands: readonly (readonly string[])[]): void {
    this.#reads++
    for (const [word = '', sub = ''] of commands) {
      const name = word.toLowerCase()
      for (const one of [name, `${name}|${sub.toLowerCase()}`]) {
        this.#commands.set(one, (this.#commands.get(one) ?? 0) + 1)
      }
    }
  }

  /** `bytesOut`: from the server to us. */
  until(bytesIn: number, bytesOut: number): Own {
    return { commands: new Map(this.#commands), reads: this.#reads, bytesIn, bytesOut }
  }
}

/** What came between two such counts. */
export function ownBetween(before: Own, after: Own): Own {
  const commands = Array.from(
    after.commands,
    ([name, calls]) => [name, calls - (before.commands.get(name) ?? 0)] as const,
  )
  return {
    commands: new Map(commands.filter(([, calls]) => calls > 0)),
    reads: after.reads - before.reads,
    bytesIn: after.bytesIn - before.bytesIn,
    bytesOut: after.bytesOut - before.bytesOut,
  }
}

/** How many commands these were. */
export function ownCalls({ commands }: Own): number {
  let sum = 0
  for (const [name, calls] of commands) if (!name.includes('|')) sum += calls
  return sum
}
