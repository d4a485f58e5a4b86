/** Reads records out of a ledger. Page by page: no cursor outlives a tick, so a reader never holds back the log. */
import type { DatabaseSync } from 'node:sqlite'
import { type Counters, isoTime, type SessionRecord, sessionRecord } from '../core/record.ts'
import type { Row } from './queries.ts'
import { ALLOCATIONS, allocationFacts, counters, readSums } from './queries-rows.ts'

export interface SessionFilter {
  /** Only sessions in which something that counts is open. */
  readonly live?: boolean
  readonly device?: string
  /** Only these. */
  readonly ids?: readonly number[]
}

/** Bytes that were reported under a name that never proved real. */
export interface RejectedRecord {
  readonly server: string
  /** null: the names beyond the limit, together. */
  readonly realm: string | null
  readonly username: string | null
  readonly allocations: number
  readonly firstAt: string | null
  readonly lastAt: string | null
  readonly client: Counters
  readonly peer: Counters
}

export interface GapRecord {
  readonly server: string
  readonly beganAt: string | null
  readonly endedAt: string | null
  readonly why: string
}

const PAGE = 500

/** The sessions in the order of their ids, a page at a time. */
export function* readSessions(db: DatabaseSync, filter: SessionFilter = {}): Generator<SessionRecord[]> {
  const where = ['id > ?']
  const values: (string | number)[] = []
  if (filter.live) where.push('settled_at IS NULL AND open > 0')
  if (filter.device !== undefined) {
    where.push('id IN (SELECT session_id FROM allocation WHERE device = ?)')
    values.push(filter.device)
  }
  if (filter.ids !== undefined) {
    where.push('id IN (SELECT value FROM json_each(?))')
    values.push(JSON.stringify(filter.ids))
  }
  const page = db.prepare(`SELECT * FROM session WHERE ${where.join(' AND ')} ORDER BY id LIMIT ${PAGE}`)
  for (let after = 0; ; ) {
    const rows = page.all(after, ...values) as Row[]
    if (rows.length === 0) return
    yield readRecords(db, rows)
    after = rows.at(-1)!.id as number
  }
}

/** The records of these rows of `session`. */
export function readRecords(
  db: DatabaseSync,
  sessions: readonly Row[],
  allocationsOf = `${ALLOCATIONS} a.session_id IN (SELECT value FROM json_each(?)) ORDER BY a.id`,
): SessionRecord[] {
  const ids = JSON.stringify(sessions.map((row) => row.id))
  const rows = db.prepare(allocationsOf).all(ids) as Row[]
  const bySession = Map.groupBy(rows, (row) => row.session_id)
  const sums = readSums(db, rows)
  return sessions.flatMap((row) => {
    const allocations = bySession.get(row.id!)
    // A session whose only allocation moved on to another one when it began to carry is nobody's.
    if (allocations === undefined) return []
    return sessionRecord({
      id: row.id as number,
      key: row.key as string,
      open: row.open as number,
      settledAt: row.settled_at as number | null,
      revision: row.revision as number,
      allocations: allocations.map((one) => allocationFacts(one, sums)),
    })
  })
}

/** Allocations of sessions whose username does not fit the template (rule R19). */
export function countMisfits(db: DatabaseSync): number {
  const sql = 'SELECT count(*) AS n FROM allocation WHERE fits = 0 AND session_id IS NOT NULL'
  return (db.prepare(sql).get() as { n: number }).n
}

/** What was rejected, most bytes first. */
export function readRejected(db: DatabaseSync, most = -1): RejectedRecord[] {
  const rows = db
    .prepare(
      'SELECT r.*, s.name AS server FROM rejected r JOIN stream s ON s.id = r.stream_id ORDER BY c_rcvb DESC LIMIT ?',
    )
    .all(most) as Row[]
  return rows.map((row) => ({
    server: row.server as string,
    realm: row.realm as string | null,
    username: row.username as string | null,
    allocations: row.allocations as number,
    firstAt: isoTime(row.first_at as number | null),
    lastAt: isoTime(row.last_at as number | null),
    client: counters(row, 'c_'),
    peer: counters(row, 'p_'),
  }))
}

/** The gaps, in the order in which they began. */
export function readGaps(db: DatabaseSync): GapRecord[] {
  const rows = db
    .prepare('SELECT g.*, s.name AS server FROM gap g JOIN stream s ON s.id = g.stream_id ORDER BY began_at, ended_at')
    .all() as Row[]
  return rows.map(gapRecord)
}

/** Of a row of `gap` with the name of its server. */
export function gapRecord(row: Row): GapRecord {
  return {
    server: row.server as string,
    beganAt: isoTime(row.began_at as number | null),
    endedAt: isoTime(row.ended_at as number | null),
    why: row.why as string,
  }
}
