/** Rows of allocations and usage, and what they mean. */
import type { DatabaseSync } from 'node:sqlite'
import { endings } from '../core/ends.ts'
import type { Quality } from '../core/quality.ts'
import type { AllocationFacts, Counters } from '../core/record.ts'
import { Flag } from '../core/table.ts'
import type { Row } from './queries.ts'

/** Where a stream cannot tell servers apart, or is none, there is no server's name (rule R4). */
export const SERVER = `CASE WHEN s.boot_aware = 1 AND s.source <> 'recording' THEN s.name END`

const LIVE = `l.id IS NOT NULL AS in_memory, l.flags AS l_flags, l.relay_to AS l_relay_to,
  l.c_rcvp, l.c_rcvb, l.c_sentp, l.c_sentb, l.p_rcvp, l.p_rcvb, l.p_sentp, l.p_sentb`

const FROM = 'FROM allocation a JOIN stream s ON s.id = a.stream_id LEFT JOIN live l ON l.id = a.id'

/** Everything that `allocationFacts` reads; a condition on `a`, `s` or `l` follows. */
export const ALLOCATIONS = `SELECT a.id, a.session_id, a.coturn_id, a.realm, a.username, a.device, a.account, a.labels,
  a.boot, a.opened_at, a.heard_at, a.goodbye_at, a.closed_at, a.relay_to, a.lifetime, a.refreshes, a.ended, a.flags,
  a.quality, a.missing_max, a.unheard_packets, a.unheard_bytes, a.transport, a.client_address, a.server_address, a.tls,
  a.origin, a.close_reason, ${SERVER} AS server, s.boot_aware, s.version, ${LIVE} ${FROM} WHERE`

/** Only what a session on the live page is made of. */
export const LIVE_ALLOCATIONS = `SELECT a.id, a.session_id, a.realm, a.device, a.account, a.opened_at,
  a.heard_at, a.goodbye_at, a.closed_at, a.relay_to, a.ended, a.flags, a.quality, a.missing_max, ${SERVER} AS server,
  s.boot_aware, s.version, ${LIVE} ${FROM} WHERE`

/** What was counted, by allocation and side: `sumKey`. */
export type Sums = ReadonlyMap<string, Row>

const sumKey = (id: number, side: 0 | 1) => `${id}/${side}`

/** The counters of those among `rows` that have left memory: of the others the hot row holds them. */
export function readSums(db: DatabaseSync, rows: readonly Row[]): Sums {
  const ids = rows.filter((row) => row.in_memory === 0).map((row) => row.id)
  const sums = db.prepare(
    `SELECT allocation_id AS id, side, sum(rcvp) AS rcvp, sum(rcvb) AS rcvb, sum(sentp) AS sentp, sum(sentb) AS sentb
     FROM usage WHERE allocation_id IN (SELECT value FROM json_each(?)) GROUP BY allocation_id, side`,
  )
  const found = sums.all(JSON.stringify(ids)) as Row[]
  return new Map(found.map((row) => [sumKey(row.id as number, row.side as 0 | 1), row]))
}

export function allocationFacts(row: Row, sums: Sums): AllocationFacts {
  const time = (name: string) => row[name] as number | null
  const text = (name: string) => row[name] as string | null
  const inMemory = row.in_memory === 1
  const flags = (inMemory ? row.l_flags : row.flags) as number
  const side = (number: 0 | 1) =>
    inMemory ? counters(row, number === 0 ? 'c_' : 'p_') : counters(sums.get(sumKey(row.id as number, number)), '')
  return {
    coturnId: row.coturn_id as string,
    realm: row.realm as string,
    username: row.username as string,
    device: row.device as string,
    account: text('account'),
    labels: row.labels ? JSON.parse(row.labels as string) : {},
    server: text('server'),
    boot: row.boot_aware === 1 ? (row.boot as number) : null,
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
    origin: text('origin'),
    closeReason: text('close_reason'),
    client: side(0),
    peer: (flags & Flag.peer) === 0 ? null : side(1),
  }
}

const columns = {
  '': ['rcvb', 'rcvp', 'sentb', 'sentp'],
  c_: ['c_rcvb', 'c_rcvp', 'c_sentb', 'c_sentp'],
  p_: ['p_rcvb', 'p_rcvp', 'p_sentb', 'p_sentp'],
} as const

/** The four counters of a row whose columns' names begin with `prefix`. */
export function counters(row: Row | undefined, prefix: keyof typeof columns): Counters {
  const [a, b, c, d] = columns[prefix]
  return {
    receivedBytes: (row?.[a] ?? 0) as number,
    receivedPackets: (row?.[b] ?? 0) as number,
    sentBytes: (row?.[c] ?? 0) as number,
    sentPackets: (row?.[d] ?? 0) as number,
  }
}
