/** Reads the ledger's tables: whole, to compare runs of the meter, and as the reference model sees them. */
import type { DatabaseSync } from 'node:sqlite'
import { endings } from '../../src/core/ends.ts'
import { Flag } from '../../src/core/table.ts'
import { type Account, countersOf, missingOf, qualityOf, type UsageRow } from './account.ts'
import type { Four, Path } from './events.ts'
import type { Reference } from './reference.ts'

export type Row = Readonly<Record<string, unknown>>
export type Tables = Readonly<Record<string, readonly Row[]>>

/**
 * Every row of every table. The ids of allocations are replaced by their rank: a path that was rejected leaves a number
 * that a meter started anew gives out again. What `live` holds anew of an allocation is looked up there only.
 */
export function dump(db: DatabaseSync): Tables {
  const all = (sql: string) => db.prepare(sql).all() as Row[]
  const ranks = new Map(all('SELECT id FROM allocation ORDER BY id').map(({ id }, rank) => [id, rank]))
  const ranked = ({ id, ...row }: Row) => ({ rank: ranks.get(id), ...row })
  const live = all('SELECT * FROM live ORDER BY id')
  const alive = new Set(live.map(({ id }) => id))
  const settled = (row: Row) => (alive.has(row.id) ? { ...row, relay_to: 'live', flags: 'live' } : row)
  return {
    stream: all('SELECT * FROM stream ORDER BY id'),
    gap: all('SELECT * FROM gap ORDER BY rowid'),
    allocation: all('SELECT * FROM allocation ORDER BY id').map(settled).map(ranked),
    live: live.map(ranked),
    usage: all('SELECT allocation_id AS id, * FROM usage ORDER BY allocation_id, bucket, side, entry').map(
      ({ allocation_id: _, ...row }) => ranked(row),
    ),
    session: all('SELECT * FROM session ORDER BY id'),
    rejected: all('SELECT * FROM rejected ORDER BY key'),
  }
}

/** Where two sets of tables differ, a line for each field; none when they are the same. */
export function differences(first: Tables, other: Tables): string[] {
  return Object.keys(first).flatMap((table) => {
    const [a, b] = [first[table]!, other[table]!]
    return Array.from({ length: Math.max(a.length, b.length) }, (_, i) =>
      rowDifferences(`${table}[${i}]`, a[i], b[i]),
    ).flat()
  })
}

function rowDifferences(place: string, a: Row | undefined, b: Row | undefined): string[] {
  if (a === undefined || b === undefined) return [`${place}: ${JSON.stringify(a)} and ${JSON.stringify(b)}`]
  const text = (value: unknown) => (value instanceof Uint8Array ? Buffer.from(value).toString() : JSON.stringify(value))
  return Object.keys({ ...a, ...b })
    .filter((field) => text(a[field]) !== text(b[field]))
    .map((field) => `${place}.${field}: ${text(a[field])} and ${text(b[field])}`)
}

/** Usage rows as texts, as they stand. */
export function usageTexts(db: DatabaseSync): string[] {
  const rows = db.prepare('SELECT * FROM usage').all() as Row[]
  return rows.map((row) => Object.values(row).join(' '))
}

const names = ['rcvp', 'rcvb', 'sentp', 'sentb']
const fourOf = (row: Row, prefix: string) => names.map((name) => Number(row[prefix + name] ?? 0))

const COUNTERS = names.flatMap((name) => [
  `l.c_${name} AS live0_${name}, l.p_${name} AS live1_${name}`,
  ...[0, 1].map(
    (side) =>
      `(SELECT sum(${name}) FROM usage u WHERE u.allocation_id = a.id AND side = ${side}) AS used${side}_${name}`,
  ),
])
const ALLOCATIONS = `SELECT a.*, l.id IS NOT NULL AS is_live, coalesce(l.flags, a.flags) AS flags_now,
  ${COUNTERS.join(', ')}
  FROM allocation a LEFT JOIN live l ON l.id = a.id ORDER BY a.id`

/** A live row's counters as they are read and as sums of usage, both sides one after the other. */
export interface Balance {
  /** All that was counted is written; the row waits only for what may come late. */
  readonly isOver: boolean
  readonly read: readonly number[]
  readonly used: readonly number[]
}

export function balances(db: DatabaseSync): Balance[] {
  const rows = (db.prepare(ALLOCATIONS).all() as Row[]).filter((row) => row.is_live === 1)
  return rows.map((row) => ({
    isOver: (Number(row.flags_now) & Flag.expired) !== 0,
    read: [...fourOf(row, 'live0_'), ...fourOf(row, 'live1_')],
    used: [...fourOf(row, 'used0_'), ...fourOf(row, 'used1_')],
  }))
}

/** Until when an allocation relayed; told when nothing more of it is waited for. */
export interface Relay extends Path {
  readonly waits: 0 | 1
  readonly to: number | null
}

export function relayTimes(db: DatabaseSync): Relay[] {
  return db
    .prepare(
      `SELECT stream_id AS stream, boot, realm, username, coturn_id AS id, relay_to AS "to",
         id IN (SELECT id FROM live) AS waits
       FROM allocation ORDER BY allocation.id`,
    )
    .all() as unknown as Relay[]
}

/** What the reference model and the tables both know, in one shape: live readings, else sums of usage. */
export function viewOfTables(db: DatabaseSync): Tables {
  const rows = db.prepare(ALLOCATIONS).all() as Row[]
  const index = new Map(rows.map((row, i) => [row.id, i]))
  const usage = db.prepare('SELECT * FROM usage').all() as Row[]
  return {
    allocation: rows.filter((row) => row.session_id !== null).map(allocationOfRow),
    held: rows.filter((row) => row.session_id === null).map(heldOfRow),
    usage: usageView(usage.map((row) => usageRow(row, index.get(row.allocation_id)!))),
    session: db.prepare('SELECT id, settled_at AS settledAt, revision FROM session ORDER BY id').all() as Row[],
    rejected: (db.prepare('SELECT * FROM rejected').all() as Row[]).map(rejectedOfRow).sort(byText),
    gap: db
      .prepare('SELECT stream_id AS stream, began_at AS began, ended_at AS ended, why FROM gap ORDER BY rowid')
      .all() as Row[],
  }
}

function usageRow(row: Row, index: number): UsageRow {
  const n = fourOf(row, '') as unknown as Four
  return [index, Number(row.bucket), row.side as 0 | 1, Number(row.entry), ...n]
}

/** Late entries are numbered as they come, over both sides; which number one has is not promised. */
function usageView(rows: readonly UsageRow[]): Row[] {
  const texts = rows.map(([account, bucket, side, entry, ...n]) =>
    [account, bucket, side, entry > 0 ? 'late' : 'measured', ...n].join(' '),
  )
  return texts.sort().map((text) => ({ text }))
}

function allocationOfRow(row: Row): Row {
  const flags = Number(row.flags_now)
  const from = row.is_live === 1 ? 'live' : 'used'
  return {
    ...pathOfRow(row),
    ended: endings[Number(row.ended)],
    quality: row.quality,
    missing: row.missing_max,
    openedAt: row.opened_at,
    heardAt: row.heard_at,
    goodbyeAt: row.goodbye_at,
    closedAt: row.closed_at,
    carries: (flags & Flag.carrier) !== 0,
    carrierAt: row.carrier_at,
    lifetime: row.lifetime || null,
    unheard: [row.unheard_packets, row.unheard_bytes],
    client: fourOf(row, `${from}0_`),
    peer: (flags & Flag.peer) === 0 ? null : fourOf(row, `${from}1_`),
    session: row.session_id,
  }
}

function heldOfRow(row: Row): Row {
  return { ...pathOfRow(row), heardAt: row.heard_at, client: fourOf(row, 'live0_'), peer: fourOf(row, 'live1_') }
}

function pathOfRow({ stream_id: stream, boot, realm, username, coturn_id: id }: Row): Row {
  return { stream, boot, realm, username, id }
}

function rejectedOfRow(row: Row): Row {
  const { stream_id: stream, realm, username, allocations } = row
  return { stream, realm, username, allocations, client: fourOf(row, 'c_'), peer: fourOf(row, 'p_') }
}

function byText(a: Row, b: Row): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1
}

/** The same from the reference model. */
export function viewOfReference(reference: Reference): Tables {
  const accounts = reference.accounts.filter((one) => one.state !== 'rejected')
  return {
    allocation: accounts.filter((one) => one.state !== 'held').map(allocationOfAccount),
    held: accounts.filter((one) => one.state === 'held').map(heldOfAccount),
    usage: usageView(reference.usage()),
    session: reference.sessions.all.map(({ settledAt, revision }, i) => ({ id: i + 1, settledAt, revision })),
    rejected: reference.rejected.map((one): Row => ({ ...one })).sort(byText),
    gap: reference.gaps.map((one): Row => ({ ...one })),
  }
}

function pathOfAccount({ stream, boot, realm, username, id }: Account): Row {
  return { stream, boot, realm, username, id }
}

function allocationOfAccount(one: Account): Row {
  return {
    ...pathOfAccount(one),
    ended: one.ended,
    quality: qualityOf(one),
    missing: missingOf(one),
    openedAt: one.openedAt,
    heardAt: one.heardAt,
    goodbyeAt: one.goodbyeAt,
    closedAt: one.closedAt,
    carries: one.carries,
    carrierAt: one.carrierAt,
    lifetime: one.lifetime,
    unheard: one.unheard,
    client: countersOf(one, 0),
    peer: one.peerHeard ? countersOf(one, 1) : null,
    session: one.session! + 1,
  }
}

function heldOfAccount(one: Account): Row {
  return { ...pathOfAccount(one), heardAt: one.heardAt, client: one.sides[0].sum, peer: one.sides[1].sum }
}
