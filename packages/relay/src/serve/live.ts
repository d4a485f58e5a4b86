/**
 * `/v1/live`: one feed for everybody who watches. It looks only while somebody does, at most four times a second, and
 * sends what has changed. The id of a message is its commit. A client that comes again gets a new snapshot whatever id
 * it has last seen: changes are not kept, and a snapshot is no larger than what it would have missed.
 */
import type { ServerResponse } from 'node:http'
import type { DatabaseSync } from 'node:sqlite'
import { isoTime } from '../core/record.ts'
import type { LastHour } from '../core/throughput.ts'
import { atOneCommit } from '../store/queries.ts'
import type { Chart } from './contract.ts'
import type { FactReader } from './facts.ts'
import { findings } from './health.ts'
import { changeOf, chartOf } from './live-chart.ts'
import { LiveView } from './live-view.ts'
import { BUFFERED_MAX, Clients, message } from './sse.ts'

export interface LiveOptions {
  readonly db: DatabaseSync
  readonly facts: FactReader
  readonly onCommit: (listener: () => void) => () => void
  /** Looking failed; it is tried again. */
  readonly failed: (error: Error) => void
}

const EVERY_MS = 250
/** Looking and sending take at most this part of the time. */
const SHARE = 10
/** Also when no commit comes any more: that is what shows that the meter stands still. */
const LATEST_MS = 5000
const NOTHING: LastHour = {
  until: 0,
  reported: { received: new Float64Array(), sent: new Float64Array() },
  awaited: { received: new Float64Array(), sent: new Float64Array() },
}

export class Live {
  readonly #options: LiveOptions
  readonly #clients = new Clients((count) => this.#watch(count > 0))
  readonly #latest: NodeJS.Timeout
  #view = new LiveView()
  #commit = 0
  #chartUntil = NOTHING.until
  #chart: Chart = chartOf(NOTHING)
  /** As they were sent last, in JSON. */
  #servers = ''
  #findings = ''
  /** The snapshot of what was sent last. */
  #snapshot: Buffer | undefined
  #stop: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined
  #notBefore = 0

  constructor(options: LiveOptions) {
    this.#options = options
    this.#latest = setInterval(() => this.#lookAnyway(), LATEST_MS).unref()
    this.#lookAnyway()
  }

  get size(): number {
    return this.#clients.size
  }

  add(outgoing: ServerResponse): void {
    // The first one after nobody finds what was known then.
    if (this.#clients.size === 0) this.#lookAgain()
    this.#clients.add(outgoing, (client) => client.write(this.#whole()))
  }

  close(): void {
    clearInterval(this.#latest)
    this.#clients.close()
  }

  #watch(on: boolean): void {
    if (on) {
      this.#stop ??= this.#options.onCommit(() => this.#plan())
    } else {
      this.#stop?.()
      this.#stop = undefined
      clearTimeout(this.#timer)
      this.#timer = undefined
    }
  }

  #plan(): void {
    const wait = Math.max(0, this.#notBefore - performance.now())
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#turn()
    }, wait)
  }

  #turn(): void {
    const began = performance.now()
    try {
      this.#send()
    } catch (error) {
      // Nobody knows now what the clients have missed: they come again and get a snapshot.
      this.#clients.close()
      this.#options.failed(error as Error)
    }
    const end = performance.now()
    this.#notBefore = Math.max(began + EVERY_MS, end + (SHARE - 1) * (end - began))
  }

  #send(): void {
    const change = this.#look()
    if (change === undefined) return
    this.#snapshot = undefined
    const bytes = message(change, 'change', this.#commit)
    for (const client of this.#clients) {
      // It would show the past, and the memory is needed for others. It may come again.
      if (client.buffered > BUFFERED_MAX) client.drop()
      else client.write(bytes)
    }
  }

  /** Looks, and gives the change since the last look as JSON; undefined when nothing has changed. */
  #look(): string | undefined {
    const { db, facts: reader } = this.#options
    const now = reader.now()
    const totalsBefore = JSON.stringify(this.#view.totals)
    const { commit, sessions, gone } = atOneCommit(db, (number) => ({ commit: number, ...this.#view.look(db, now) }))
    const facts = reader.read()
    const [servers, found] = [JSON.stringify(facts.servers), JSON.stringify(findings(facts))]
    const totals = JSON.stringify(this.#view.totals)
    const chart = this.#newChart()
    const more = [
      ...(servers === this.#servers ? [] : [`,"servers":${servers}`]),
      ...(found === this.#findings ? [] : [`,"findings":${found}`]),
      ...(chart === undefined ? [] : [`,"chart":${JSON.stringify(chart)}`]),
    ]
    this.#commit = commit
    this.#servers = servers
    this.#findings = found
    if (more.length + sessions.length + gone.length === 0 && totals === totalsBefore) return undefined
    const head = `{"commit":${commit},"at":"${isoTime(now)}","totals":${totals}`
    return `${head},"sessions":[${sessions.join()}],"gone":[${gone.join()}]${more.join('')}}`
  }

  /** The meter makes one for every bin that is over. */
  #newChart(): Chart | undefined {
    const lastHour = this.#options.facts.glance().status?.throughput
    if (lastHour === undefined || lastHour.until === this.#chartUntil) return undefined
    const before = this.#chart
    this.#chartUntil = lastHour.until
    this.#chart = chartOf(lastHour)
    return changeOf(before, this.#chart)
  }

  #lookAgain(): void {
    this.#view = new LiveView()
    this.#look()
    this.#snapshot = undefined
  }

  #whole(): Buffer {
    this.#snapshot ??= message(this.#snapshotText(), 'snapshot', this.#commit)
    return this.#snapshot
  }

  #snapshotText(): string {
    const at = isoTime(this.#options.facts.now())
    const head = `{"commit":${this.#commit},"at":"${at}","totals":${JSON.stringify(this.#view.totals)}`
    const lists = `"servers":${this.#servers},"findings":${this.#findings},"chart":${JSON.stringify(this.#chart)}`
    return `${head},"sessions":[${this.#view.sessions.join()}],${lists}}`
  }

  #lookAnyway(): void {
    const { facts, failed } = this.#options
    // The disk may hang, and then the answer is the old one.
    facts.measureDisk().catch(failed)
    if (this.size > 0) this.#plan()
  }
}
