/**
 * Finished sessions as rows of somebody's own table. It reads the ledger's outbox by a connection of its own, writes a
 * batch, and then how far it has come: whatever breaks off in between is done again, and finds its rows by their ids.
 */

import type { DatabaseSync } from 'node:sqlite'
import { setTimeout as wait } from 'node:timers/promises'
import { atOneCommit, openReader } from '../store/queries.ts'
import { type OutboxEntry, outboxEnd, readIdentity, readOutbox, recordsOf } from '../store/queries-outbox.ts'
import { type Cursor, HELD_MAX, type HeldBack, readCursor, targetOf, writeCursor } from './cursor.ts'
import { connect, type Database } from './database.ts'
import { type Delivered, deliver, type Job } from './deliver.ts'
import { describeTable } from './describe.ts'
import type { Origin } from './fields.ts'
import type { SinkOptions } from './mapping.ts'
import { examine, type Plan } from './plan.ts'
import type { SinkTarget } from './url.ts'

/** How the sink is; plain data. */
export interface SinkStatus {
  readonly connected: boolean
  /** Why no row can be written, and since when (milliseconds since the epoch); null: they can. */
  readonly failing: { readonly why: string; readonly since: number } | null
  /** Rows written or changed since the start. */
  readonly delivered: number
  /** Entries of the outbox that are to be written. */
  readonly waiting: number
  readonly heldBack: number
  /** The last one that was held back, in a line. */
  readonly lastHeld: string | null
}

export type SinkNotice =
  | { readonly kind: 'sink'; readonly why: string }
  | { readonly kind: 'sink again'; readonly waiting: number }
  | { readonly kind: 'sink held'; readonly session: number; readonly why: string }

export interface SinkSetup {
  readonly options: SinkOptions
  /** The data folder, and the ledger in it. */
  readonly data: string
  readonly file: string
  readonly now: () => number
  readonly on: (notice: SinkNotice) => void
  readonly connect?: (target: SinkTarget, signal: AbortSignal) => Promise<Database>
  /** How long it waits after the first failure, the second and so on; from the last one on always as long. */
  readonly backoffMs?: readonly number[]
}

const BATCH = 200
const PING_MS = 20_000
const BACKOFF_MS = [100, 200, 500, 1000, 2000, 5000, 10_000, 20_000]
const HELD_AGAIN_MS = 600_000
const STOP_MS = 300

export class RowSink {
  readonly #setup: SinkSetup
  readonly #stopping = new AbortController()
  #ledger: DatabaseSync | undefined
  #database: Database | undefined
  #cursor: Cursor | undefined
  #running: Promise<void> | undefined
  #stopped: Promise<void> | undefined
  #wake = () => {}
  #isWoken = false
  #failing: SinkStatus['failing'] = null
  #connected = false
  #delivered = 0
  #failures = 0
  #heldAt = 0
  /** When the database last answered. */
  #heardAt = 0

  constructor(setup: SinkSetup) {
    this.#setup = setup
  }

  start(): void {
    this.#running = this.#run()
  }

  /** There may be something new. */
  wake(): void {
    this.#isWoken = true
    this.#wake()
  }

  status(): SinkStatus {
    const cursor = this.#cursor
    const last = cursor?.held.at(-1)
    return {
      connected: this.#connected,
      failing: this.#failing,
      delivered: this.#delivered,
      waiting: this.#waiting(),
      heldBack: cursor?.held.length ?? 0,
      lastHeld: last === undefined ? null : `session ${last.session}: ${last.why}`,
    }
  }

  /** Ends soon: what is under way is broken off, and done again at the next start. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<void> {
    this.#stopping.abort()
    this.wake()
    await Promise.race([this.#running, wait(STOP_MS, undefined, { ref: false })])
    this.#database?.destroy()
    await Promise.race([this.#running, wait(STOP_MS, undefined, { ref: false })])
    this.#ledger?.close()
    this.#ledger = undefined
  }

  #waiting(): number {
    try {
      return this.#ledger === undefined ? 0 : Math.max(0, outboxEnd(this.#ledger) - (this.#cursor?.seq ?? 0))
    } catch {
      // The ledger is a matter of the meter's; it says so itself.
      return 0
    }
  }

  get #isStopped(): boolean {
    return this.#stopping.signal.aborted
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      try {
        await this.#work()
      } catch (error) {
        this.#database?.destroy()
        this.#connected = false
        if (this.#isStopped) return
        this.#fail((error as Error).message)
        const { backoffMs = BACKOFF_MS } = this.#setup
        const pause = backoffMs[Math.min(this.#failures++, backoffMs.length - 1)]!
        await wait(pause, undefined, { signal: this.#stopping.signal }).catch(() => {})
      }
    }
    this.#database?.destroy()
  }

  #fail(why: string): void {
    if (this.#failing?.why !== why) this.#setup.on({ kind: 'sink', why })
    this.#failing = { why, since: this.#failing?.since ?? this.#setup.now() }
  }

  /** With one connection, until it breaks or the sink is stopped. */
  async #work(): Promise<void> {
    const { options, data, file } = this.#setup
    this.#ledger ??= openReader(file)
    this.#database = await (this.#setup.connect ?? connect)(options.target!, this.#stopping.signal)
    const { plan, problems } = examine(options, await describeTable(this.#database, options.table))
    if (plan === null) throw new Error(problems.join('; '))
    const origin = { ledger: readIdentity(this.#ledger), template: options.template }
    this.#cursor ??= await this.#begin(data, origin, plan)
    if (this.#cursor.seq > outboxEnd(this.#ledger)) {
      throw new Error('more was written to the table than this ledger holds: is it an older copy?')
    }
    await this.#deliverHeld(plan, origin)
    this.#succeed()
    while (!this.#isStopped) {
      const entries = readOutbox(this.#ledger, this.#cursor!.seq, BATCH)
      if (entries.length > 0) await this.#deliverBatch(entries, plan, origin)
      else if (this.#setup.now() - this.#heldAt > HELD_AGAIN_MS) await this.#deliverHeld(plan, origin)
      else await this.#idle(this.#database)
      this.#succeed()
    }
  }

  #succeed(): void {
    this.#connected = true
    this.#failures = 0
    if (this.#failing === null) return
    this.#failing = null
    this.#setup.on({ kind: 'sink again', waiting: this.#waiting() })
  }

  /** Of a table that is new here every row with a `uid` of this ledger is its own; an `id` can be anybody's. */
  async #begin(data: string, { ledger }: Origin, { identity }: Plan): Promise<Cursor> {
    const target = targetOf(this.#setup.options)
    const known = readCursor(data, target, ledger)
    if (known !== undefined) return known
    const trying = identity.field === 'uid' ? outboxEnd(this.#ledger!) : 0
    const cursor = { target, ledger, seq: 0, trying, held: [] }
    await writeCursor(data, cursor)
    return cursor
  }

  async #deliverBatch(entries: readonly OutboxEntry[], plan: Plan, origin: Origin): Promise<void> {
    const cursor = this.#cursor!
    if (cursor.held.length >= HELD_MAX) {
      throw new Error(`${cursor.held.length} rows are held back, which is the most: see "fettle relay sink check"`)
    }
    const last = entries.at(-1)!.seq
    if (cursor.trying < last) await this.#keep({ ...cursor, trying: last })
    const { jobs, refused } = this.#jobsOf(entries, cursor.trying, plan, origin)
    const delivered = await deliver(this.#database!, plan, this.#table, jobs)
    const tried = jobs.map(({ session }) => session)
    await this.#note(delivered, [...refused, ...delivered.refused], tried, { seq: last })
  }

  /** `doubtful`: entries up to this one may have been written by a batch of which nothing was heard. */
  #jobsOf(entries: readonly OutboxEntry[], doubtful: number, plan: Plan, origin: Origin) {
    const bySession = Map.groupBy(entries, ({ session }) => session)
    const wanted = Array.from(bySession).filter(
      ([, own]) => plan.corrections !== 'ignore' || own.some(({ revision }) => revision === 0),
    )
    const rows = this.#rowsOf(
      wanted.map(([session]) => session),
      plan,
      origin,
    )
    const jobs = rows.jobs.map((job) => {
      const own = bySession.get(job.session)!
      const isFirst = own.some(({ seq, revision }) => revision === 0 && seq > doubtful)
      const updates = job.updates && own.some(({ revision }) => revision > 0)
      return { ...job, mayExist: job.mayExist && !isFirst, updates }
    })
    return { ...rows, jobs }
  }

  #rowsOf(sessions: readonly number[], plan: Plan, origin: Origin): { jobs: Job[]; refused: HeldBack[] } {
    const records = atOneCommit(this.#ledger!, () => recordsOf(this.#ledger!, sessions))
    const foreign = new Set(this.#cursor!.held.flatMap((one) => (one.foreign ? [one.session] : [])))
    const jobs: Job[] = []
    const refused: HeldBack[] = []
    for (const [session, record] of records) {
      const row = plan.rowOf(record, origin)
      if ('problem' in row) refused.push({ session, foreign: false, why: row.problem })
      else jobs.push({ session, row, mayExist: !foreign.has(session), updates: plan.corrections === 'update' })
    }
    return { jobs, refused }
  }

  /** Tries once more what the table did not take. */
  async #deliverHeld(plan: Plan, origin: Origin): Promise<void> {
    this.#heldAt = this.#setup.now()
    const { held } = this.#cursor!
    if (held.length === 0) return
    const sessions = held.map(({ session }) => session)
    const { jobs, refused } = this.#rowsOf(sessions, plan, origin)
    const delivered = await deliver(this.#database!, plan, this.#table, jobs)
    await this.#note(delivered, [...refused, ...delivered.refused], sessions)
  }

  /** Keeps how far it has come. Of what was held back and is `tried` now only that stays which was refused again. */
  async #note(
    { rows }: Delivered,
    refused: readonly HeldBack[],
    tried: readonly number[],
    more: Partial<Cursor> = {},
  ): Promise<void> {
    const before = new Map(this.#cursor!.held.map((one) => [one.session, one]))
    const after = new Map(before)
    for (const session of tried) after.delete(session)
    for (const one of refused) after.set(one.session, one)
    await this.#keep({ ...this.#cursor!, ...more, held: Array.from(after.values()) })
    this.#heardAt = performance.now()
    this.#delivered += rows
    for (const { session, why } of refused) {
      if (before.get(session)?.why !== why) this.#setup.on({ kind: 'sink held', session, why })
    }
  }

  async #keep(cursor: Cursor): Promise<void> {
    await writeCursor(this.#setup.data, cursor)
    this.#cursor = cursor
  }

  get #table(): string {
    return targetOf(this.#setup.options).split('/').slice(-2).join('/')
  }

  /** Until there may be something new; meanwhile it is seen to that the database is still there. */
  async #idle(database: Database): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wake = resolve
    const timer = setTimeout(resolve, PING_MS)
    if (!this.#isWoken) await promise
    clearTimeout(timer)
    this.#isWoken = false
    if (performance.now() - this.#heardAt < PING_MS || this.#isStopped) return
    await database.command('DO 0')
    this.#heardAt = performance.now()
  }
}
