/** What the ledger knows of the meter's own state: servers, gaps, names that were rejected or do not fit. */
import type { DatabaseSync } from 'node:sqlite'
import { OVER } from '../core/table.ts'
import type { Found, Row } from './queries.ts'
import { type GapRecord, gapRecord } from './sessions.ts'

/** Gaps, the newest first. */
export function findGaps(db: DatabaseSync, before: number | undefined, limit: number): Found<GapRecord> {
  const rows = db
    .prepare(
      `SELECT g.rowid AS id, g.*, s.name AS server FROM gap g JOIN stream s ON s.id = g.stream_id
       WHERE g.rowid < ? ORDER BY g.rowid DESC LIMIT ?`,
    )
    .all(before ?? Number.MAX_SAFE_INTEGER, limit + 1) as Row[]
  return {
    rows: rows.slice(0, limit).map(gapRecord),
    next: rows.length > limit ? (rows[limit - 1]!.id as number) : null,
  }
}

/** Gaps of one server for one reason. */
export interface GapCount {
  readonly server: string
  readonly why: string
  readonly count: number
  /** How long they were together. */
  readonly ms: number
}

/** Older ones are not looked at: gaps are written in the order in which they end. */
const GAPS_MAX = 10_000

/** The gaps that ended since. */
export function countGaps(db: DatabaseSync, since: number): GapCount[] {
  const rows = db
    .prepare(
      `SELECT s.name AS server, g.why, count(*) AS count, sum(g.ended_at - g.began_at) AS ms
       FROM gap g JOIN stream s ON s.id = g.stream_id
       WHERE g.rowid > (SELECT coalesce(max(rowid), 0) FROM gap) - ${GAPS_MAX} AND g.ended_at > ? GROUP BY 1, 2`,
    )
    .all(since)
  return rows as unknown as GapCount[]
}

/** Messages or lines of each server that could not be read, ever. */
export function countMalformed(db: DatabaseSync): Map<string, number> {
  const rows = db.prepare('SELECT name, malformed FROM stream').all() as Row[]
  return new Map(rows.map((row) => [row.name as string, row.malformed as number]))
}

/** Open allocations by server. */
export function countOpen(db: DatabaseSync): Map<string, number> {
  const rows = db
    .prepare(
      `SELECT s.name, n FROM (SELECT a.stream_id AS stream, count(*) AS n FROM live l JOIN allocation a ON a.id = l.id
       WHERE l.flags & ${OVER} = 0 GROUP BY 1) JOIN stream s ON s.id = stream`,
    )
    .all() as Row[]
  return new Map(rows.map((row) => [row.name as string, row.n as number]))
}

/** Two sources that have counted the same allocation (rule R45). */
export interface Twins {
  readonly first: string
  readonly other: string
}

/** So many of the newest allocations are looked at. */
const TWINS_OF = 2000
const TWINS_MS = 60_000
/** What moved less may be alike on two servers by chance: what a browser asks all of them at once (rule R20). */
const TWINS_BYTES = 65_536

/** The sources that have told of the same allocations lately: by path, end and all eight counters. */
export function findTwins(db: DatabaseSync): Twins[] {
  const rows = db.prepare(TWINS).all() as unknown as (Twins & { counters: string; others: string; bytes: number })[]
  const found = rows.filter(({ counters, others, bytes }) => counters === others && bytes > TWINS_BYTES)
  return Array.from(new Map(found.map(({ first, other }) => [`${first} ${other}`, { first, other }])).values())
}

const countersOf = (id: string) => `(SELECT group_concat(side || ':' || n) FROM (SELECT side,
  sum(rcvp) || ',' || sum(rcvb) || ',' || sum(sentp) || ',' || sum(sentb) AS n FROM usage
  WHERE allocation_id = ${id} GROUP BY side))`
const TWINS = `WITH newest AS MATERIALIZED (SELECT a.id, a.path, a.closed_at, a.stream_id, s.name, s.source
    FROM allocation a JOIN stream s ON s.id = a.stream_id
    WHERE a.id > (SELECT max(id) FROM allocation) - ${TWINS_OF} AND a.ended > 0)
  SELECT a.name AS first, b.name AS other, ${countersOf('a.id')} AS counters, ${countersOf('b.id')} AS others,
    (SELECT sum(rcvb) + sum(sentb) FROM usage WHERE allocation_id = a.id AND side = 0) AS bytes
  FROM newest a JOIN newest b ON b.path = a.path AND b.stream_id > a.stream_id
  WHERE abs(a.closed_at - b.closed_at) <= ${TWINS_MS} AND (a.source <> b.source OR a.source = 'log')`

export interface Share {
  readonly of: number
  readonly count: number
}

/** How many of the newest allocations have usernames that do not fit the template (rule R19). */
export function countNewMisfits(db: DatabaseSync, newest: number): Share {
  const row = db
    .prepare(
      `SELECT count(*) AS n, coalesce(sum(fits = 0), 0) AS misfits FROM
       (SELECT fits FROM allocation WHERE session_id IS NOT NULL ORDER BY id DESC LIMIT ?)`,
    )
    .get(newest) as Row
  return { of: row.n as number, count: row.misfits as number }
}

/** Names under which something was rejected since. */
export function countRejected(db: DatabaseSync, since: number): number {
  return db.prepare('SELECT count(*) AS n FROM rejected WHERE last_at > ?').get(since)!.n as number
}
