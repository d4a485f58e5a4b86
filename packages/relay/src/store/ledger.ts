/** The ledger in SQLite: a cut becomes rows, in one transaction. Synchronous; sqlite.ts gives it a thread. */
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { rejectedKey } from '../core/ends.ts'
import { readPath, readStatusText } from '../core/event.ts'
import { missingCounts, qualityOf } from '../core/quality.ts'
import type { Recalled, Reconciliation } from '../core/reconcile.ts'
import type { Saved } from '../core/restore.ts'
import { MOVE_WIDTH, type Numbers } from '../core/rows.ts'
import { labelOf, type Template } from '../core/session.ts'
import { type Cut, Move, type Rejected, type Stream, USAGE_WIDTH } from '../core/state.ts'
import { Column, FACTS, HOT } from '../core/table.ts'
import { Labels } from './labels.ts'
import { recall, resume } from './resume.ts'
import { migrations, SCHEMA_VERSION, schema } from './schema.ts'
import { prepare, type Statements } from './statements.ts'
import type { Committed, StreamClaim } from './store.ts'

export interface LedgerOptions {
  readonly template: Template
  readonly lingerMs: number
}

type Row = Record<string, number | string | null>

/** Fault of the store that the user can do something about. */
export class LedgerFault extends Error {}

const nullable = (value: number) => (Number.isNaN(value) ? null : value)

/** Opens or creates the tables. `file` may be `:memory:`. */
export function openDatabase(file: string): DatabaseSync {
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(file)
    prepareDatabase(db, file)
    return db
  } catch (error) {
    db?.close()
    if (error instanceof LedgerFault) throw error
    throw new LedgerFault(`${file}: ${(error as Error).message}`)
  }
}

function prepareDatabase(db: DatabaseSync, file: string): void {
  db.exec('PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000')
  db.exec('PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -2048')
  // Else REPLACE removes a row without its trigger, and usage would not be append-only.
  db.exec('PRAGMA recursive_triggers = ON')
  const found = db.prepare('PRAGMA user_version').get()?.user_version as number
  if (found === 0) db.exec(`BEGIN; ${schema}; COMMIT`)
  for (let version = found; version > 0 && version < SCHEMA_VERSION; version++) {
    db.exec(`BEGIN; ${migrations[version]}; PRAGMA user_version = ${version + 1}; COMMIT`)
  }
  if (found > SCHEMA_VERSION) {
    throw new LedgerFault(`${file} is a ledger of version ${found}; this fettle reads up to version ${SCHEMA_VERSION}`)
  }
}

export class Ledger {
  readonly db: DatabaseSync
  readonly #options: LedgerOptions
  readonly #sql: Statements

  constructor(db: DatabaseSync, options: LedgerOptions) {
    this.db = db
    this.#options = options
    this.#sql = prepare(db)
  }

  /** Writes a cut; on failure nothing of it is written and the error is thrown. */
  commit(cut: Cut): Committed {
    this.db.exec('BEGIN IMMEDIATE')
    try {
      const ended = this.#write(cut)
      this.db.exec('COMMIT')
      return { ended }
    } catch (error) {
      if (this.db.isTransaction) this.db.exec('ROLLBACK')
      throw error
    }
  }

  #write(cut: Cut): number[] {
    const sql = this.#sql
    const ended = this.#moves(cut)
    this.#facts(cut.facts)
    writeLive(sql.live, cut.live)
    writeUsage(sql.usage, cut.usage)
    const { data: dropped, length } = cut.dropped
    for (let i = 0; i < length; i++) sql.dropLive.run(dropped[i]!)
    for (const gap of cut.gaps) sql.gap.run(gap.stream, nullable(gap.began), nullable(gap.ended), gap.why)
    for (const one of cut.rejected) this.#rejected(one)
    for (const stream of cut.streams) this.#stream(stream)
    sql.countCommit.run()
    if (cut.now >= 0) sql.settleIdle.run(this.#options.lingerMs, cut.now - this.#options.lingerMs)
    return ended
  }

  /**
   * What happened to allocations, in order: their rows, and the sessions they belong to. Returns the sessions that have
   * ended by it.
   */
  #moves(cut: Cut): number[] {
    const { data, length } = cut.moves
    const finished: number[] = []
    const labels = new Labels(this.#sql, this.#options.lingerMs)
    let textAt = 0
    for (let i = 0; i < length; i += MOVE_WIDTH) {
      const textEnd = textAt + data[i + 5]!
      if (data[i] === Move.finished) finished.push(data[i + 1]!)
      else this.#move(labels, data, i, cut.text.data.subarray(textAt, textEnd))
      textAt = textEnd
    }
    return this.#ended(finished)
  }

  #move(labels: Labels, moves: Float64Array, i: number, text: Uint8Array): void {
    const id = moves[i + 1]!
    const t = moves[i + 2]!
    switch (moves[i]) {
      case Move.heard:
        return this.#heard(id, moves[i + 3]!, moves[i + 4]!, text)
      case Move.described:
        return this.#described(id, text)
      case Move.opened:
        return labels.opened(id, t)
      case Move.carrying:
        return labels.carrying(id, t, moves[i + 3]!)
      case Move.closed:
        return labels.closed(id, t, moves[i + 3]!, moves[i + 4]!)
      case Move.late:
        return labels.revise(id, t)
      case Move.reconciled:
        return labels.reconciled(id, t, moves[i + 4] === 1)
      case Move.added:
        return labels.added(id, t, moves[i + 3]!, moves[i + 4] === 1)
      default:
        this.#sql.deleteAllocation.run(id)
    }
  }

  #heard(id: number, stream: number, boot: number, path: Uint8Array): void {
    const name = readPath(path)
    const label = labelOf(this.#options.template, name.realm, name.username)
    this.#sql.insertAllocation.run(
      id,
      stream,
      boot,
      path,
      name.realm,
      name.username,
      name.id,
      label.key,
      label.device,
      label.account,
      Object.keys(label.labels).length > 0 ? JSON.stringify(label.labels) : null,
      label.fits ? 1 : 0,
    )
  }

  #described(id: number, payload: Uint8Array): void {
    const text = readStatusText(payload, 0, payload.length)
    const { transport, serverAddress, clientAddress, tls, origin, closeReason } = text
    if (closeReason === null) this.#sql.describe.run(transport, serverAddress, clientAddress, tls, id)
    else this.#sql.describeClosing.run(serverAddress, clientAddress, origin, closeReason, id)
  }

  #facts({ data: facts, length }: Numbers): void {
    for (let i = 0; i < length; i += FACTS) {
      const at = (column: number) => nullable(facts[i + column]!)
      const flags = facts[i + Column.flags]!
      const counted = facts[i + Column.client]! + facts[i + Column.client + 2]! > 0
      this.#sql.facts.run(
        at(Column.openedAt),
        at(Column.heardAt),
        at(Column.goodbyeAt),
        at(Column.lifetime),
        at(Column.refreshes),
        at(Column.unheard),
        at(Column.unheard + 1),
        at(Column.corrections),
        at(Column.serverHash),
        at(Column.clientHash),
        at(Column.relayTo),
        flags,
        qualityOf(flags),
        missingCounts(flags, counted),
        facts[i]!,
      )
    }
  }

  #rejected(one: Rejected): void {
    const { stream, realm, username, firstAt, lastAt, allocations, client, peer } = one
    const key = rejectedKey(stream, realm, username)
    const first = nullable(firstAt)
    this.#sql.rejected.run(key, stream, realm, username, first, nullable(lastAt), allocations, ...client, ...peer)
  }

  #stream(stream: Stream): void {
    const { boot, peer, malformed, position, heardAt, cursor, id } = stream
    this.#sql.stream.run(boot, peer ? 1 : 0, malformed, position, nullable(heardAt), cursor, id)
  }

  /** The sessions of these allocations, where they count, in which nothing is open and that were not final before. */
  #ended(finished: readonly number[]): number[] {
    const ended = new Set<number>()
    for (const id of finished) {
      const row = this.#sql.endedSession.get(id) as Row | undefined
      if (row !== undefined) ended.add(row.id as number)
    }
    return Array.from(ended)
  }

  /** Claims the streams and loads what the fold needs. */
  restore(claims: readonly StreamClaim[]): Saved {
    return resume(this.db, claims)
  }

  /** The allocations that this is about as they are stored; what has not proved real is none. */
  recall(asked: Reconciliation): Recalled[] {
    return recall(this.db, asked, this.#options.template)
  }

  /**
   * Only the last of all connections writes the log back when it closes, and readers are still there: who copies the
   * file of a meter that has ended would have next to nothing. Waits for nobody.
   */
  close(): void {
    try {
      this.db.exec('PRAGMA wal_checkpoint(PASSIVE)')
    } catch {
      // Nothing is lost: whoever opens the ledger next finds the log.
    }
    this.db.close()
  }
}

function writeLive(statement: StatementSync, { data: live, length }: Numbers): void {
  for (let i = 0; i < length; i += HOT) {
    // Spelled out: passing a subarray by spread costs as much as the write itself.
    statement.run(
      live[i]!,
      live[i + 1]!,
      live[i + 2]!,
      live[i + 3]!,
      live[i + 4]!,
      live[i + 5]!,
      live[i + 6]!,
      live[i + 7]!,
      live[i + 8]!,
      live[i + 9]!,
      live[i + 10]!,
      live[i + 11]!,
      live[i + 12]!,
      live[i + 13]!,
      live[i + 14]!,
      live[i + 15]!,
    )
  }
}

function writeUsage(statement: StatementSync, { data, length }: Numbers): void {
  for (let i = 0; i < length; i += USAGE_WIDTH) {
    const [id, bucket, side, entry, a, b, c, d] = data.subarray(i, i + USAGE_WIDTH)
    statement.run(id!, bucket!, side!, entry!, a!, b!, c!, d!)
  }
}
