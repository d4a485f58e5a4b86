/** Reads records out of a ledger. Page by page: no cursor outlives a tick, so a reader never holds back the log. */
import type { DatabaseSync } from 'node:sqlite'
import { endings } from '../core/ends.ts'
import type { Quality } from '../core/quality.ts'
import { type AllocationFacts, type Counters, isoTime, type SessionRecord, sessionRecord } from '../core/record.ts'
import { Flag } from '../core/table.ts'

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

type Row = Record<string, string | number | null>

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
    yield readPage(db, rows)
    after = rows.at(-1)!.id as number
  }
}

const ALLOCATIONS = `SELECT a.*, s.name AS stream_name, s.source, s.boot_aware, s.version,
  l.id IS NOT NULL AS in_memory, l.flags AS l_flags, l.relay_to AS l_relay_to,
  l.c_rcvp, l.c_rcvb, l.c_sentp, l.c_sentb, l.p_rcvp, l.p_rcvb, l.p_sentp, l.p_sentb
  FROM allocation a JOIN stream s ON s.id = a.stream_id LEFT JOIN live l ON l.id = a.id
  WHERE a.session_id IN (SELECT value FROM json_each(?)) ORDER BY a.id`

const USAGE = `SELECT u.allocation_id AS id, u.side, sum(u.rcvp) AS rcvp, sum(u.rcvb) AS rcvb, sum(u.sentp) AS sentp,
  sum(u.sentb) AS sentb FROM usage u JOIN allocation a ON a.id = u.allocation_id
  WHERE a.session_id IN (SELECT value FROM json_each(?)) GROUP BY u.allocation_id, u.side`

function readPage(db: DatabaseSync, sessions: readonly Row[]): SessionRecord[] {
  const ids = JSON.stringify(sessions.map((row) => row.id))
  const used = new Map<string, Row>()
  for (const row of db.prepare(USAGE).all(ids) as Row[]) used.set(`${row.id}/${row.side}`, row)
  const allocations = new Map<number, AllocationFacts[]>()
  for (const row of db.prepare(ALLOCATIONS).all(ids) as Row[]) {
    const id = row.session_id as number
    const list = allocations.get(id) ?? []
    list.push(allocationFacts(row, used))
    allocations.set(id, list)
  }
  return sessions.flatMap((row) => {
    const own = allocations.get(row.id as number)
    // A session whose only allocation moved on to another one when it began to carry is nobody's.
    if (own === undefined) return []
    return sessionRecord({
      id: row.id as number,
      key: row.key as string,
      open: row.open as number,
      settledAt: row.settled_at as number | null,
      revision: row.revision as number,
      allocations: own,
    })
  })
}

function allocationFacts(row: Row, used: ReadonlyMap<string, Row>): AllocationFacts {
  const time = (name: string) => row[name] as number | null
  const text = (name: string) => row[name] as string | null
  const inMemory = row.in_memory === 1
  const flags = (inMemory ? row.l_flags : row.flags) as number
  const aware = row.boot_aware === 1
  const side = (number: 0 | 1) =>
    inMemory ? counters(row, number === 0 ? 'c_' : 'p_') : counters(used.get(`${row.id}/${number}`), '')
  return {
    coturnId: row.coturn_id as string,
    realm: row.realm as string,
    username: row.username as string,
    device: row.device as string,
    account: text('account'),
    labels: JSON.parse((row.labels as string | null) ?? '{}'),
    server: aware && row.source !== 'recording' ? (row.stream_name as string) : null,
    boot: aware ? (row.boot as number) : null,
    version: text('version'),
    openedAt: time('opened_at'),
    heardAt: time('heard_at'),
    goodbyeAt: time('goodbye_at'),
    closedAt: time('closed_at'),
    ended: endings[row.ended as number]!,
    carries: (flags & Flag.carrier) !== 0,
    relayTo: inMemory ? time('l_relay_to') : time('relay_to'),
    // Relaying went on at most to the goodbye, else to the close (rule R25).
    relayToMax: row.ended === 0 ? null : (time('goodbye_at') ?? time('closed_at')),
    lifetime: (row.lifetime as number) || null,
    refreshes: row.refreshes as number,
    quality: row.quality as Quality,
    missingPackets: row.missing_max as number | null,
    unheardPackets: row.unheard_packets as number,
    unheardBytes: row.unheard_bytes as number,
    transport: text('transport'),
    clientAddress: text('client_address'),
    serverAddress: text('server_address'),
    tls: text('tls'),
    client: side(0),
    peer: (flags & Flag.peer) === 0 ? null : side(1),
  }
}

function counters(row: Row | undefined, prefix: string): Counters {
  const value = (name: string) => (row?.[prefix + name] ?? 0) as number
  return {
    receivedBytes: value('rcvb'),
    receivedPackets: value('rcvp'),
    sentBytes: value('sentb'),
    sentPackets: value('sentp'),
  }
}

/** Allocations of sessions whose username does not fit the template (rule R19). */
export function countMisfits(db: DatabaseSync): number {
  const sql = 'SELECT count(*) AS n FROM allocation WHERE fits = 0 AND session_id IS NOT NULL'
  return (db.prepare(sql).get() as { n: number }).n
}

/** Everything that was rejected, most bytes first. */
export function readRejected(db: DatabaseSync): RejectedRecord[] {
  const rows = db
    .prepare('SELECT r.*, s.name AS server FROM rejected r JOIN stream s ON s.id = r.stream_id ORDER BY c_rcvb DESC')
    .all() as Row[]
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
  return rows.map((row) => ({
    server: row.server as string,
    beganAt: isoTime(row.began_at as number | null),
    endedAt: isoTime(row.ended_at as number | null),
    why: row.why as string,
  }))
}
