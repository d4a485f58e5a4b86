/** What became final, in order, for those who pass it on. */
import type { DatabaseSync } from 'node:sqlite'
import { endings } from '../core/ends.ts'
import type { SessionRecord } from '../core/record.ts'
import { Flag } from '../core/table.ts'
import { readSessions } from './sessions.ts'

const DELETED = endings.indexOf('deleted')

export interface OutboxEntry {
  readonly seq: number
  readonly session: number
  /** The revision by which it came here; 0: it became final. */
  readonly revision: number
}

/** The ledger's own name. */
export function readIdentity(db: DatabaseSync): string {
  return db.prepare('SELECT uid FROM identity').get()!.uid as string
}

/**
 * Entries behind `after`, at most so many, and only up to a session of which a total is still to come: one that is
 * final may have an allocation that coturn has deleted and not yet summed up, for 10 s at most (rule R7).
 */
export function readOutbox(db: DatabaseSync, after: number, limit: number): OutboxEntry[] {
  const sql = 'SELECT seq, session_id AS session, revision FROM outbox WHERE seq > ? ORDER BY seq LIMIT ?'
  const entries = db.prepare(sql).all(after, limit) as unknown as OutboxEntry[]
  const closing = `SELECT min(o.seq) AS seq FROM outbox o JOIN allocation a ON a.session_id = o.session_id
    JOIN live l ON l.id = a.id
    WHERE o.seq > ? AND o.seq <= ? AND a.ended = ${DELETED} AND l.flags & ${Flag.expired} = 0`
  const end = db.prepare(closing).get(after, entries.at(-1)?.seq ?? 0)!.seq as number | null
  return end === null ? entries : entries.filter(({ seq }) => seq < end)
}

/** The last entry's number; they are counted without a gap. 0: there is none. */
export function outboxEnd(db: DatabaseSync): number {
  return db.prepare('SELECT coalesce(max(seq), 0) AS seq FROM outbox').get()!.seq as number
}

/** Records as they are now, by id. A session that has no allocation any more has none. */
export function recordsOf(db: DatabaseSync, ids: readonly number[]): Map<number, SessionRecord> {
  return new Map(Array.from(readSessions(db, { ids })).flatMap((page) => page.map((one) => [one.id, one] as const)))
}

/** The session that became final last. */
export function lastFinal(db: DatabaseSync): SessionRecord | undefined {
  const ids = db.prepare('SELECT session_id AS id FROM outbox ORDER BY seq DESC LIMIT 20').all()
  for (const { id } of ids) {
    const record = recordsOf(db, [id as number]).get(id as number)
    if (record !== undefined) return record
  }
  return undefined
}
