/** What the live page shows, and how fast it flows. */
import type { DatabaseSync } from 'node:sqlite'
import type { SessionRecord } from '../core/record.ts'
import { OVER } from '../core/table.ts'
import type { Row } from './queries.ts'
import { LIVE_ALLOCATIONS } from './queries-rows.ts'
import { readRecords } from './sessions.ts'

/** Bits per second from clients to the relay and back. */
export interface Flow {
  readonly received: number
  readonly sent: number
}

export interface Totals extends Flow {
  readonly sessions: number
  readonly allocations: number
}

/** Packet counts of the client side per millisecond: in the last report; on average where a gap has hidden that. */
const PER_MS = `coalesce(iif(l.rate > 0, l.rate, NULL), (l.c_rcvp + l.c_sentp) * 1.0 /
  (l.client_at - (SELECT opened_at FROM allocation WHERE id = l.id)))`

/**
 * The rate of an allocation: that of its last report in packets, times what such a packet held on average. Where
 * nothing more is reported fewer than those of a report have been counted since: the rate fades, as in the chart
 * (core/throughput.ts). 0 while no report tells it.
 */
const rate = (bytes: string) =>
  `CASE WHEN l.c_rcvp + l.c_sentp > 0 AND l.flags & ${OVER} = 0 THEN
   coalesce(min(${PER_MS}, 1.0 * l.last_counts / max(:now - l.client_at, 1)), 0) * 8000.0 * l.${bytes} /
   (l.c_rcvp + l.c_sentp) ELSE 0 END`

const RECEIVED = rate('c_rcvb')
const SENT = rate('c_sentb')

/** Everything that is open; `now`: the meter's time. */
export function readTotals(db: DatabaseSync, now: number): Totals {
  const open = db.prepare('SELECT count(*) AS n FROM session WHERE settled_at IS NULL AND open > 0').get() as Row
  const sums = db
    .prepare(
      `SELECT count(*) AS n, coalesce(sum(${RECEIVED}), 0) AS received, coalesce(sum(${SENT}), 0) AS sent
       FROM live l WHERE l.flags & ${OVER} = 0`,
    )
    .get({ now }) as Row
  return {
    sessions: open.n as number,
    allocations: sums.n as number,
    received: sums.received as number,
    sent: sums.sent as number,
  }
}

const ENDED = [
  'SELECT * FROM session WHERE settled_at IS NULL AND open = 0 ORDER BY last_closed DESC LIMIT :most',
  'SELECT * FROM session WHERE settled_at IS NOT NULL ORDER BY last_closed DESC LIMIT :most',
]

/** The newest that are open and the last that ended, newest first. */
export function readShown(db: DatabaseSync, open: number, ended: number): Row[] {
  const live = db
    .prepare('SELECT * FROM session WHERE settled_at IS NULL AND open > 0 ORDER BY id DESC LIMIT ?')
    .all(open) as Row[]
  const over = ENDED.flatMap((sql) => db.prepare(sql).all({ most: ended }) as Row[])
    .sort((a, b) => (b.last_closed as number) - (a.last_closed as number))
    .slice(0, ended)
  return [...live, ...over].sort((a, b) => (b.id as number) - (a.id as number))
}

/** A session as it is now; `state` differs where anything does that the live page shows of it, but for the flow. */
export interface Glance extends Flow {
  readonly id: number
  readonly allocations: number
  readonly state: string
}

const GLANCE = `SELECT a.session_id AS id, count(*) AS allocations,
  concat_ws(',', count(*), count(l.id), sum(l.client_at), sum(l.peer_at), sum(l.expires_at), sum(l.flags),
    total(l.c_rcvb + l.c_sentb), total(l.p_rcvb + l.p_sentb)) AS state,
  coalesce(sum(${RECEIVED}), 0) AS received, coalesce(sum(${SENT}), 0) AS sent
  FROM allocation a LEFT JOIN live l ON l.id = a.id
  WHERE a.session_id IN (SELECT value FROM json_each(:ids)) GROUP BY 1`

/** Looks at these rows of `session`: a quarter of what it takes to read them. */
export function glanceAt(db: DatabaseSync, sessions: readonly Row[], now: number): Map<number, Glance> {
  const ids = JSON.stringify(sessions.map((row) => row.id))
  const seen = db.prepare(GLANCE).all({ ids, now }) as unknown as Glance[]
  const rows = new Map(sessions.map((row) => [row.id as number, row]))
  return new Map(
    seen.map((glance) => {
      const { open, last_closed, settled_at, revision } = rows.get(glance.id)!
      return [glance.id, { ...glance, state: `${glance.state},${open},${last_closed},${settled_at},${revision}` }]
    }),
  )
}

const ALLOCATIONS = `${LIVE_ALLOCATIONS} a.session_id IN (SELECT value FROM json_each(?)) ORDER BY a.id`

/** The records of these rows of `session`, without the texts that the live page does not show. */
export function readLive(db: DatabaseSync, sessions: readonly Row[]): SessionRecord[] {
  return readRecords(db, sessions, ALLOCATIONS)
}
