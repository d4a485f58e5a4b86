/**
 * How the API reads the ledger: by its own read-only connection, each answer at one commit, and never for longer than a
 * moment. No cursor of SQLite's outlives a call: one that stays open keeps the log from being written back, which then
 * grows without end.
 */
import { DatabaseSync } from 'node:sqlite'

export type Row = Record<string, string | number | null>

/** A read-only connection to the ledger; the caller closes it. */
export function openReader(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { readOnly: true })
  db.exec('PRAGMA busy_timeout = 5000; PRAGMA cache_size = -16384')
  return db
}

/** Reads at one commit, whose number it is given, synchronously. */
export function atOneCommit<T>(db: DatabaseSync, read: (commit: number) => T): T {
  db.exec('BEGIN')
  try {
    return read(db.prepare('SELECT commits FROM head').get()!.commits as number)
  } finally {
    db.exec('COMMIT')
  }
}

/** What a page holds; `next`: the rest are the ids below it, null when there is no rest. */
export interface Found<T> {
  readonly rows: readonly T[]
  readonly next: number | null
}

/** Ids from `low` up to, but not with, `high`. */
export interface IdRange {
  readonly low: number
  readonly high: number
}

/** A page whose rows are rare ends here, short or empty, so that nobody else waits long; the next one goes on. */
const SCAN_MS = 40
const FIRST_STEP = 1000

/**
 * Looks for rows downwards in steps that double, until it has `limit` of them or the time is up. `read` gives the rows
 * with an id in the range, at most so many, highest first.
 */
export function scanDown<T extends { readonly id: number }>(
  range: IdRange,
  limit: number,
  read: (range: IdRange, limit: number) => readonly T[],
  firstStep = FIRST_STEP,
): Found<T> {
  const began = performance.now()
  const rows: T[] = []
  let { high } = range
  for (let step = firstStep; high > range.low; step *= 2) {
    const low = Math.max(range.low, high - step)
    rows.push(...read({ low, high }, limit + 1 - rows.length))
    if (rows.length > limit) return { rows: rows.slice(0, limit), next: rows[limit - 1]!.id }
    high = low
    if (performance.now() - began > SCAN_MS) break
  }
  return { rows, next: high > range.low ? high : null }
}

/** All ids of a table up to `before`, which a cursor gives. */
export function idsOf(db: DatabaseSync, table: 'session' | 'allocation', before = Number.MAX_SAFE_INTEGER): IdRange {
  const top = db.prepare(`SELECT coalesce(max(id), 0) AS id FROM ${table}`).get()!.id as number
  return { low: 1, high: Math.min(top + 1, before) }
}
