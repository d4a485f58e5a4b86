/** `/v1/events`: what coturn says, as it comes. The meter decodes it only while somebody watches. */
import type { ServerResponse } from 'node:http'
import type { TailEvent } from './contract.ts'
import { BUFFERED_MAX, type Client, Clients, message } from './sse.ts'

type OnEvents = (listener: (events: readonly TailEvent[], dropped: number) => void) => () => void

interface Watch {
  /** undefined: everything. */
  readonly device: string | undefined
  /** Events that this client was too slow for. */
  missed: number
}

export class EventStreams {
  readonly #onEvents: OnEvents
  readonly #watches = new WeakMap<Client, Watch>()
  readonly #clients = new Clients((count) => this.#listen(count > 0))
  #stop: (() => void) | undefined

  constructor(onEvents: OnEvents) {
    this.#onEvents = onEvents
  }

  get size(): number {
    return this.#clients.size
  }

  add(outgoing: ServerResponse, device: string | undefined): void {
    this.#clients.add(outgoing, (client) => this.#watches.set(client, { device, missed: 0 }))
  }

  close(): void {
    this.#clients.close()
  }

  #listen(on: boolean): void {
    if (on) {
      this.#stop ??= this.#onEvents((events, dropped) => this.#hear(events, dropped))
    } else {
      this.#stop?.()
      this.#stop = undefined
    }
  }

  #hear(events: readonly TailEvent[], dropped: number): void {
    const encoded = events.map((event) => message(JSON.stringify(event)))
    const everything = Buffer.concat(encoded)
    for (const client of this.#clients) {
      const watch = this.#watches.get(client)
      if (watch === undefined) continue
      const own = encoded.filter((_, i) => watch.device === undefined || events[i]!.device === watch.device)
      watch.missed += dropped
      if (client.buffered > BUFFERED_MAX) {
        watch.missed += own.length
        continue
      }
      if (watch.missed > 0) client.write(message(JSON.stringify({ dropped: watch.missed }), 'dropped'))
      watch.missed = 0
      if (own.length > 0) client.write(own.length === encoded.length ? everything : Buffer.concat(own))
    }
  }
}
