/** Pages of allocations that belong to sessions, newest first. */
import type { DatabaseSync } from 'node:sqlite'
import { type AllocationRecord, sessionRecord } from '../core/record.ts'
import { type Found, idsOf, type Row, scanDown } from './queries.ts'
import { ALLOCATIONS, allocationFacts, readSums } from './queries-rows.ts'
import { streamsOf } from './queries-sessions.ts'

/** What is not given is not asked for. */
export interface AllocationQuery {
  readonly open?: boolean | undefined
  readonly device?: string | undefined
  readonly server?: string | undefined
  readonly session?: number | undefined
}

export interface FoundAllocation extends AllocationRecord {
  readonly session: number
  readonly realm: string
  readonly device: string
  readonly account: string | null
}

const CLOSED = 'a.ended <> 0'
const conditions: Readonly<Record<keyof AllocationQuery, string>> = {
  open: 'a.ended = 0 AND a.id IN (SELECT id FROM live WHERE id >= :low AND id < :high)',
  device: 'a.id IN (SELECT id FROM allocation WHERE device = :device)',
  server: 'a.stream_id IN (SELECT value FROM json_each(:streams))',
  session: 'a.session_id = :session',
}

export function findAllocations(
  db: DatabaseSync,
  query: AllocationQuery,
  before: number | undefined,
  limit: number,
): Found<FoundAllocation> {
  const { device, server, session } = query
  const names = (Object.keys(conditions) as (keyof AllocationQuery)[]).filter((name) => query[name] !== undefined)
  const where = names.map((name) => ` AND ${name === 'open' && !query.open ? CLOSED : conditions[name]}`).join('')
  const page = db.prepare(
    `${ALLOCATIONS} a.id >= :low AND a.id < :high AND a.session_id IS NOT NULL${where} ORDER BY a.id DESC LIMIT :most`,
  )
  const values = {
    ...(device === undefined ? {} : { device }),
    ...(server === undefined ? {} : { streams: streamsOf(db, server) }),
    ...(session === undefined ? {} : { session }),
  }
  // Where an index leads to the rows there is nothing to scan.
  const step = query.open || device !== undefined || session !== undefined ? Number.MAX_SAFE_INTEGER : undefined
  const read = (part: { low: number; high: number }, most: number) =>
    page.all({ ...values, ...part, most }) as (Row & { id: number })[]
  const { rows, next } = scanDown(idsOf(db, 'allocation', before), limit, read, step)
  const sums = readSums(db, rows)
  return { rows: rows.map((row) => recordOf(row, sums)), next }
}

function recordOf(row: Row, sums: ReturnType<typeof readSums>): FoundAllocation {
  const facts = allocationFacts(row, sums)
  const { realm, device, account } = facts
  const session = row.session_id as number
  const one = { id: session, key: '', open: 0, settledAt: null, revision: 0, allocations: [facts] }
  return { ...sessionRecord(one).allocations[0]!, session, realm, device, account }
}
