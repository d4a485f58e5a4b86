/** Pages of sessions, newest first, and what one of them counted when. */
import type { DatabaseSync } from 'node:sqlite'
import { type Counters, isoTime } from '../core/record.ts'
import { Flag } from '../core/table.ts'
import { type Found, type IdRange, idsOf, type Row, scanDown } from './queries.ts'
import { counters } from './queries-rows.ts'
import { restsOf } from './queries-usage.ts'

/** What is not given is not asked for. Times are milliseconds since the epoch, of a session's start. */
export interface SessionQuery {
  readonly state?: 'open' | 'ended' | 'final' | undefined
  readonly live?: boolean | undefined
  readonly class?: 'relayed' | 'unused' | undefined
  readonly device?: string | undefined
  readonly account?: string | undefined
  readonly realm?: string | undefined
  readonly server?: string | undefined
  readonly from?: number | undefined
  readonly to?: number | undefined
}

export type SessionRow = Row & { readonly id: number }

const OPEN = 's.settled_at IS NULL AND s.open > 0'
const states = { open: OPEN, ended: 's.settled_at IS NULL AND s.open = 0', final: 's.settled_at IS NOT NULL' }

/** A session's start is that of the allocations that count, and unknown when one of theirs is (rule R22). */
const START = `(SELECT CASE WHEN count(*) = count(a.opened_at) THEN min(a.opened_at) END FROM allocation a
  WHERE a.session_id = s.id AND (s.carried = 0 OR a.flags & ${Flag.carrier} <> 0))`

/** Where sessions that fit can be at all: asked once for a list, not for each page, since it may take long. */
export function sessionRange(db: DatabaseSync, query: SessionQuery): IdRange {
  const all = idsOf(db, 'session')
  if (query.from === undefined && query.to === undefined) return all
  const own = db
    .prepare('SELECT min(session_id) AS low, max(session_id) AS high FROM allocation WHERE opened_at BETWEEN ? AND ?')
    .get(...times(query)) as Row
  if (own.low === null) return { low: 1, high: 1 }
  return { low: own.low as number, high: (own.high as number) + 1 }
}

/** Rows of `session` in the range that fit the query, newest first. */
export function findSessions(db: DatabaseSync, query: SessionQuery, range: IdRange, limit: number): Found<SessionRow> {
  const where = conditionsOf(query).map((condition) => ` AND ${condition}`)
  const page = db.prepare(
    `SELECT s.* FROM session s WHERE s.id >= :low AND s.id < :high${where.join('')} ORDER BY s.id DESC LIMIT :most`,
  )
  const { device, account, realm, server, from, to } = query
  const [first, last] = times(query)
  const values = {
    ...(device === undefined ? {} : { device }),
    ...(account === undefined ? {} : { account }),
    ...(realm === undefined ? {} : { realm }),
    ...(server === undefined ? {} : { streams: streamsOf(db, server) }),
    ...(from === undefined && to === undefined ? {} : { first, last }),
  }
  return scanDown(range, limit, (part, most) => page.all({ ...values, ...part, most }) as SessionRow[])
}

function times({ from = 0, to = Number.MAX_SAFE_INTEGER }: SessionQuery): [number, number] {
  return [from, to - 1]
}

function conditionsOf(query: SessionQuery): string[] {
  const of = (column: string) =>
    `s.id IN (SELECT session_id FROM allocation
     WHERE ${column} = :${column} AND session_id >= :low AND session_id < :high)`
  const conditions = {
    state: query.state && states[query.state],
    live: query.live ? OPEN : `NOT (${OPEN})`,
    class: query.class && `s.carried = ${query.class === 'relayed' ? 1 : 0}`,
    device: of('device'),
    account: of('account'),
    realm: '(SELECT a.realm FROM allocation a WHERE a.session_id = s.id LIMIT 1) = :realm',
    server: `EXISTS (SELECT 1 FROM allocation a WHERE a.session_id = s.id
      AND a.stream_id IN (SELECT value FROM json_each(:streams)))`,
    from: `${START} BETWEEN :first AND :last`,
    to: query.from === undefined ? `${START} BETWEEN :first AND :last` : undefined,
  }
  const asked = Object.entries(conditions).filter(([name]) => query[name as keyof SessionQuery] !== undefined)
  return asked.flatMap(([, condition]) => condition ?? [])
}

/** The streams that speak for this server, as a list in JSON. */
export function streamsOf(db: DatabaseSync, server: string): string {
  const sql = `SELECT id FROM stream WHERE name = ? AND boot_aware = 1 AND source <> 'recording'`
  return JSON.stringify(
    db
      .prepare(sql)
      .all(server)
      .map((row) => row.id),
  )
}

/** The row of `session` with this id. */
export function sessionRow(db: DatabaseSync, id: number): Row | undefined {
  return db.prepare('SELECT * FROM session WHERE id = ?').get(id) as Row | undefined
}

/** As many of these as have no more than `most` allocations together, but at least one. */
export function withinAllocations(db: DatabaseSync, found: Found<SessionRow>, most: number): Found<SessionRow> {
  const count = db.prepare('SELECT count(*) AS n FROM allocation WHERE session_id = ?')
  let sum = 0
  const end = found.rows.findIndex((row, i) => {
    sum += count.get(row.id)!.n as number
    return sum > most && i > 0
  })
  return end < 0 ? found : { rows: found.rows.slice(0, end), next: found.rows[end - 1]!.id }
}

/** What one side of an allocation counted in one bucket. */
export interface TimelineEntry {
  readonly at: string | null
  readonly allocation: string
  readonly side: 'client' | 'peer'
  readonly late: boolean
  readonly counters: Counters
}

/** The usage of a session's allocations and what they have counted since; at most the last `most` entries, by time. */
export function readTimeline(db: DatabaseSync, session: number, most: number): TimelineEntry[] {
  const written = `SELECT u.bucket, a.id, a.coturn_id, u.side, u.entry, u.rcvp, u.rcvb, u.sentp, u.sentb
    FROM allocation a JOIN usage u ON u.allocation_id = a.id WHERE a.session_id = :session`
  const rest = (side: 0 | 1) => `SELECT bucket, id, coturn_id, ${side}, 0, rcvp, rcvb, sentp, sentb
    FROM (${restsOf(side, 'a.id, a.coturn_id', 'a.session_id = :session')})`
  const rows = db
    .prepare(`${written} UNION ALL ${rest(0)} UNION ALL ${rest(1)} ORDER BY 1 DESC, 2 DESC, 4 DESC, 5 DESC LIMIT :most`)
    .all({ session, most }) as Row[]
  return rows.reverse().map((row) => ({
    at: bucketTime(row.bucket as number),
    allocation: row.coturn_id as string,
    side: row.side === 0 ? 'client' : 'peer',
    late: (row.entry as number) > 0,
    counters: counters(row, ''),
  }))
}

/** The start of a bucket; null when its time is unknown. */
export function bucketTime(bucket: number): string | null {
  return bucket < 0 ? null : isoTime(bucket * 1000)
}
