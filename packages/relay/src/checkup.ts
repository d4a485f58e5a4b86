/** What a ledger says of how well it was fed, for those who look after it. */
import type { DatabaseSync } from 'node:sqlite'
import { notable } from './serve/health.ts'
import { countGaps, findTwins, type GapCount, type Twins } from './store/queries-state.ts'

export interface RecentName {
  readonly username: string
  /** It fitted the template that the meter ran with (rule R19). */
  readonly fits: boolean
  /** That template found more in it than a device. */
  readonly hasMore: boolean
}

export interface Checkup {
  /** Gaps that ended since then and that somebody should look at. */
  readonly gaps: readonly GapCount[]
  /** Sources that have counted the same allocations lately. */
  readonly twins: readonly Twins[]
  /** Servers of which something could not be read, ever. */
  readonly malformed: readonly { readonly server: string; readonly count: number }[]
  /** Allocations that never proved real (rule R10), last heard of since then. */
  readonly rejected: number
  /** Different usernames of the last allocations, newest first, at most `NAMES_MAX`. */
  readonly names: readonly RecentName[]
  /** The latest time in the ledger, milliseconds since the epoch; null: it holds none. */
  readonly lastAt: number | null
}

const NAMES_MAX = 1000
/** So many of the last allocations are looked at. */
const ALLOCATIONS_MAX = 20_000

/** `since`: what is recent, milliseconds since the epoch. `namesSince`: whose names count. */
export function checkup(db: DatabaseSync, since: number, namesSince: number): Checkup {
  const malformed = 'SELECT name AS server, malformed AS count FROM stream WHERE malformed > 0 ORDER BY name'
  const rejected = 'SELECT coalesce(sum(allocations), 0) AS n FROM rejected WHERE last_at >= ?'
  const last = 'SELECT max(t) AS t FROM (SELECT heard_at AS t FROM stream UNION ALL SELECT ended_at FROM gap)'
  return {
    gaps: notable(countGaps(db, since)),
    twins: findTwins(db),
    malformed: db.prepare(malformed).all() as unknown as Checkup['malformed'],
    rejected: (db.prepare(rejected).get(since) as { n: number }).n,
    names: recentNames(db, namesSince),
    lastAt: (db.prepare(last).get() as { t: number | null }).t,
  }
}

function recentNames(db: DatabaseSync, since: number): RecentName[] {
  const sql = `SELECT username, fits, account IS NOT NULL OR labels <> '{}' AS more
    FROM (SELECT * FROM allocation ORDER BY id DESC LIMIT ${ALLOCATIONS_MAX})
    WHERE session_id IS NOT NULL AND coalesce(opened_at, heard_at) >= ? ORDER BY id DESC`
  const names = new Map<string, RecentName>()
  const rows = db.prepare(sql).iterate(since) as Iterable<{ username: string; fits: number; more: number }>
  for (const { username, fits, more } of rows) {
    if (!names.has(username)) names.set(username, { username, fits: fits === 1, hasMore: more === 1 })
    if (names.size >= NAMES_MAX) break
  }
  return Array.from(names.values())
}
