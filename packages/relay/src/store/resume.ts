/** What a meter that starts needs of a ledger. */
import type { DatabaseSync } from 'node:sqlite'
import { readPath } from '../core/event.ts'
import type { Recalled, Reconciliation } from '../core/reconcile.ts'
import type { Saved, SavedRow } from '../core/restore.ts'
import { labelOf, type Template } from '../core/session.ts'
import { createStream, type Rejected, type Stream } from '../core/state.ts'
import { Column, STRIDE } from '../core/table.ts'
import type { StreamClaim } from './store.ts'

type Row = Record<string, number | string | null>

const numeric = (value: unknown) => (typeof value === 'number' ? value : Number.NaN)

/** Claims the streams and loads their live allocations, and nothing else. */
export function resume(db: DatabaseSync, claims: readonly StreamClaim[]): Saved {
  const streams = claims.map((claim) => claimStream(db, claim))
  const next = db.prepare('SELECT coalesce(max(id), 0) + 1 AS next FROM allocation').get() as Row
  const rows = db.prepare(RESTORE).all() as Row[]
  const known = new Set(streams.map((stream) => stream.id))
  const rejected = db.prepare('SELECT * FROM rejected').all() as Row[]
  return {
    streams,
    nextId: next.next as number,
    live: rows.filter((row) => known.has(row.stream_id as number)).map(restoreRow),
    rejected: rejected.filter((row) => known.has(row.stream_id as number)).map(restoreRejected),
  }
}

function claimStream(db: DatabaseSync, claim: StreamClaim): Stream {
  const { source, name, bootAware, version } = claim
  db.prepare(
    `INSERT OR IGNORE INTO stream (source, name, boot_aware, boot, peer, malformed, position)
     VALUES (?, ?, ?, 0, 0, 0, 0)`,
  ).run(source, name, bootAware ? 1 : 0)
  db.prepare('UPDATE stream SET version = ? WHERE source = ? AND name = ?').run(version, source, name)
  const row = db.prepare('SELECT * FROM stream WHERE source = ? AND name = ?').get(source, name) as Row
  return {
    ...createStream(row.id as number, name, bootAware, version),
    boot: row.boot as number,
    position: row.position as number,
    heardAt: numeric(row.heard_at),
    peer: row.peer === 1,
    cursor: row.cursor as string | null,
    time: claim.hasOwnTime ? { now: Number.NaN, sweepAt: 0 } : null,
    malformed: row.malformed as number,
  }
}

const summed = [0, 1].flatMap((side) =>
  ['rcvp', 'rcvb', 'sentp', 'sentb'].map(
    (name) =>
      `(SELECT coalesce(sum(${name}), 0) FROM usage u WHERE u.allocation_id = live.id AND u.side = ${side})
       AS m${side}_${name}`,
  ),
)

/** Ids ascend, so rows are restored, and the held among them queued, in the order in which they were first heard. */
const RESTORE = `SELECT live.*,
  a.stream_id, a.boot, a.path,
  a.opened_at, a.heard_at, a.goodbye_at, a.closed_at, a.lifetime, a.refreshes,
  a.unheard_packets, a.unheard_bytes, a.corrections, a.server_hash, a.client_hash, ${summed.join(', ')}
  FROM live JOIN allocation a USING (id) ORDER BY live.id`

/** Of one that has left memory the usage is all there is. */
const RECALL = `SELECT a.*, l.id IS NOT NULL AS is_live, ${summed.join(', ').replaceAll('live.id', 'a.id')}
  FROM allocation a LEFT JOIN live l USING (id)
  WHERE a.id IN (SELECT value FROM json_each(?)) AND a.session_id IS NOT NULL`

/** By the devices, which have an index, and once for all: the allocations of one may be millions. */
const ALIKE = `SELECT id FROM allocation WHERE session_id IS NOT NULL
  AND device IN (SELECT value FROM json_each(?)) AND coturn_id IN (SELECT value FROM json_each(?))`

/**
 * Allocations as they were stored last: those to be made whole, and all that may be of a path to be added. Nothing is
 * said of those that are not there or not real.
 */
export function recall(db: DatabaseSync, { completions, additions }: Reconciliation, template: Template): Recalled[] {
  const names = additions.map(({ path }) => readPath(path))
  const devices = new Set(names.map(({ realm, username }) => labelOf(template, realm, username).device))
  const coturnIds = new Set(names.map(({ id }) => id))
  const alike = db.prepare(ALIKE).all(JSON.stringify([...devices]), JSON.stringify([...coturnIds])) as Row[]
  const rows = db.prepare(RECALL).all(JSON.stringify([...completions, ...alike].map(({ id }) => id))) as Row[]
  return rows.map((row) => {
    const saved = restoreRow(row)
    saved.cells.copyWithin(Column.client, Column.clientMark, STRIDE)
    return { ...saved, isLive: row.is_live === 1 }
  })
}

const restoredOrder = [
  'id client_at peer_at rate last_counts relay_to expires_at flags',
  'c_rcvp c_rcvb c_sentp c_sentb p_rcvp p_rcvb p_sentp p_sentb',
  'opened_at heard_at goodbye_at closed_at lifetime refreshes',
  'unheard_packets unheard_bytes corrections server_hash client_hash',
  'm0_rcvp m0_rcvb m0_sentp m0_sentb m1_rcvp m1_rcvb m1_sentp m1_sentb',
]
  .join(' ')
  .split(' ')

function restoreRow(row: Row): SavedRow {
  const cells = new Float64Array(STRIDE)
  restoredOrder.forEach((name, column) => {
    cells[column] = numeric(row[name])
  })
  return {
    stream: row.stream_id as number,
    boot: row.boot as number,
    path: row.path as unknown as Uint8Array,
    cells,
  }
}

function restoreRejected(row: Row): Rejected {
  const side = (letter: string) =>
    Float64Array.from(['rcvp', 'rcvb', 'sentp', 'sentb'], (name) => row[`${letter}_${name}`] as number)
  return {
    stream: row.stream_id as number,
    realm: row.realm as string | null,
    username: row.username as string | null,
    firstAt: numeric(row.first_at),
    lastAt: numeric(row.last_at),
    allocations: row.allocations as number,
    client: side('c'),
    peer: side('p'),
  }
}
