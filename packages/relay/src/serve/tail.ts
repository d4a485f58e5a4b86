/** Events as they come, decoded for a person who watches. Runs in the meter's thread, and only while somebody does. */
import { type Batch, Kind, readPath } from '../core/event.ts'
import { isoTime } from '../core/record.ts'
import { labelOf, type Template } from '../core/session.ts'
import type { TailEvent } from './contract.ts'

const names = new Map<number, TailEvent['event']>([
  [Kind.opened, 'new'],
  [Kind.refreshed, 'refreshed'],
  [Kind.deleted, 'deleted'],
  [Kind.traffic, 'traffic'],
  [Kind.trafficPeer, 'traffic/peer'],
  [Kind.total, 'total'],
  [Kind.totalPeer, 'total/peer'],
  [Kind.malformed, 'malformed'],
])

/** Nobody reads faster; what is above is counted. */
const PER_SECOND = 1000

export class Tail {
  readonly #template: Template
  #events: TailEvent[] = []
  #dropped = 0
  #second = 0
  #left = PER_SECOND

  constructor(template: Template) {
    this.#template = template
  }

  /** Decodes a batch, which is valid only now. `at`: milliseconds since the epoch. */
  hear(server: string, at: number, batch: Batch): void {
    const second = Math.floor(at / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#left = PER_SECOND
    }
    for (let i = 0; i < batch.length; i++) {
      const event = names.get(batch.kind[i]!)
      if (event === undefined) continue
      if (this.#left-- > 0) this.#events.push(this.#decode(server, at, batch, i, event))
      else this.#dropped++
    }
  }

  get isEmpty(): boolean {
    return this.#events.length === 0 && this.#dropped === 0
  }

  /** What was heard since the last time. */
  take(): { readonly events: readonly TailEvent[]; readonly dropped: number } {
    const taken = { events: this.#events, dropped: this.#dropped }
    this.#events = []
    this.#dropped = 0
    return taken
  }

  #decode(server: string, time: number, batch: Batch, i: number, event: TailEvent['event']): TailEvent {
    const at = isoTime(time)!
    const none = { realm: '', username: '', device: '', allocation: '', lifetimeSeconds: null, counters: null }
    if (event === 'malformed') return { at, server, event, ...none }
    const { realm, username, id } = readPath(batch.bytes.subarray(batch.pathStart[i]!, batch.pathEnd[i]!))
    const { device } = labelOf(this.#template, realm, username)
    const [a, b, c, d] = batch.n.subarray(i * 4, i * 4 + 4) as unknown as [number, number, number, number]
    const isStatus = event === 'new' || event === 'refreshed'
    const counted = batch.kind[i]! >= Kind.traffic
    return {
      at,
      server,
      realm,
      username,
      device,
      allocation: id,
      event,
      lifetimeSeconds: isStatus ? a : null,
      counters: counted ? { receivedPackets: a, receivedBytes: b, sentPackets: c, sentBytes: d } : null,
    }
  }
}
