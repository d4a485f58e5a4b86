/**
 * Event streams (the HTML standard, "server-sent events"), written to the raw response: a message is encoded once for
 * all, and how much a client has not taken yet is known.
 */
import type { ServerResponse } from 'node:http'

/** What a client may leave untaken. */
export const BUFFERED_MAX = 1_000_000
const ALIVE_MS = 15_000
const ALIVE = Buffer.from(':\n\n')
const HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  // Proxies that collect answers (nginx) pass this one on as it comes.
  'X-Accel-Buffering': 'no',
}

/** Encodes a message. `data`: one line, as JSON is. */
export function message(data: string, event?: string, id?: number): Buffer {
  const head = `${event === undefined ? '' : `event: ${event}\n`}${id === undefined ? '' : `id: ${id}\n`}`
  return Buffer.from(`${head}data: ${data}\n\n`)
}

export interface Client {
  readonly outgoing: ServerResponse
  /** Bytes that it has not taken. */
  readonly buffered: number
  write(bytes: Buffer): void
  /** Ends the connection without a word. */
  drop(): void
}

/** The clients of one stream. */
export class Clients {
  readonly #all = new Set<Client>()
  readonly #changed: (count: number) => void
  #alive: NodeJS.Timeout | undefined

  /** `changed`: somebody came or went. */
  constructor(changed: (count: number) => void) {
    this.#changed = changed
  }

  get size(): number {
    return this.#all.size
  }

  [Symbol.iterator](): Iterator<Client> {
    return this.#all[Symbol.iterator]()
  }

  /** Takes over the response; `hello` is the first that the client gets. */
  add(outgoing: ServerResponse, hello: (client: Client) => void): void {
    const client: Client = {
      outgoing,
      get buffered() {
        return outgoing.writableLength
      },
      write: (bytes) => outgoing.write(bytes),
      drop: () => outgoing.destroy(),
    }
    outgoing.writeHead(200, HEADERS)
    outgoing.flushHeaders()
    // A client that goes while it is written to is no news.
    outgoing.on('error', () => {})
    outgoing.once('close', () => {
      if (this.#all.delete(client)) this.#count()
    })
    this.#all.add(client)
    this.#count()
    hello(client)
  }

  /** Ends every connection. */
  close(): void {
    for (const { outgoing } of this.#all) outgoing.end()
    this.#all.clear()
    this.#count()
  }

  #count(): void {
    if (this.#all.size > 0) {
      this.#alive ??= setInterval(() => {
        for (const client of this.#all) client.write(ALIVE)
      }, ALIVE_MS).unref()
    } else {
      clearInterval(this.#alive)
      this.#alive = undefined
    }
    this.#changed(this.#all.size)
  }
}
