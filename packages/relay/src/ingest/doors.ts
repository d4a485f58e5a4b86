/** Who may report: the passwords, and the server that each one names. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { Stream } from '../core/state.ts'
import { ServerLink, type ServerOutlet } from './resp-server.ts'

/** A coturn that may report: its name, and the password in its line. */
export interface RespServer {
  readonly name: string
  /** Empty: whoever connects speaks for this server. */
  readonly token: string
  /** coturn's version, if the operator said. */
  readonly version: string | null
}

interface Door {
  readonly token: string
  readonly digest: Buffer
  readonly server: ServerLink
}

const sha256 = (text: string | Uint8Array) => createHash('sha256').update(text).digest()

export class Doors {
  readonly #out: ServerOutlet
  #doors: readonly Door[] = []
  /** Servers that were there in this run; one that comes back goes on where it was. */
  readonly #known = new Map<string, ServerLink>()

  constructor(out: ServerOutlet) {
    this.#out = out
  }

  get servers(): readonly ServerLink[] {
    return this.#doors.map(({ server }) => server)
  }

  /** The server that needs no password. */
  get open(): ServerLink | undefined {
    return this.#doors.find(({ token }) => token === '')?.server
  }

  /** Every password is compared, each in constant time: how long it takes tells nothing. */
  find(password: Uint8Array): ServerLink | undefined {
    const given = sha256(password)
    let match: ServerLink | undefined
    for (const { digest, server } of this.#doors) if (timingSafeEqual(digest, given)) match = server
    return match
  }

  /** From now on these may report. Returns those whose connections must go: not there, or a new password. */
  set(servers: readonly RespServer[], streams: ReadonlyMap<string, Stream>): readonly ServerLink[] {
    const before = new Map(this.#doors.map((door) => [door.server.name, door]))
    this.#doors = servers.map(({ name, token, version }) => {
      const server = this.#known.get(name) ?? new ServerLink(streams.get(name)!, this.#out)
      this.#known.set(name, server)
      server.admit(version)
      return { token, digest: sha256(token), server }
    })
    const now = new Map(this.#doors.map((door) => [door.server.name, door.token]))
    const changed = Array.from(before.values()).filter(({ server, token }) => now.get(server.name) !== token)
    for (const { server } of changed) if (!now.has(server.name)) server.dismiss()
    return changed.map(({ server }) => server)
  }
}
