/**
 * Usage added up by whom it belongs to and when. What open allocations have counted since their last row of usage is
 * part of it, in the bucket of their last report, so that the sums are the counters', to the byte.
 */
import type { DatabaseSync } from 'node:sqlite'
import type { Row } from './queries.ts'
import { SERVER } from './queries-rows.ts'

export type UsageBy = 'account' | 'device' | 'realm' | 'server'

export interface UsageQuery {
  readonly by: UsageBy
  /** Seconds. */
  readonly width: number
  /** Of the buckets of 5 minutes those that begin in this time, milliseconds since the epoch. */
  readonly from?: number | undefined
  readonly to?: number | undefined
}

/** The last row that was given. */
export interface UsagePosition {
  readonly at: number
  readonly value: string | null
}

export interface UsageSum extends UsagePosition {
  /** rcvp, rcvb, sentp, sentb of the client side, then of the peer side. */
  readonly counters: Float64Array
}

export interface UsagePage {
  readonly rows: readonly UsageSum[]
  readonly next: UsagePosition | null
}

const BUCKET = 300
const UNKNOWN = -1
const END = Number.MAX_SAFE_INTEGER
/** A page that takes long ends here; the next one goes on. */
const PAGE_MS = 100

const values: Readonly<Record<UsageBy, string>> = {
  account: 'a.account',
  device: 'a.device',
  realm: 'a.realm',
  server: SERVER,
}

const names = ['rcvp', 'rcvb', 'sentp', 'sentb']
/** `total` adds whole numbers exactly like `sum`, but one that is too large for JavaScript is no error. */
const sums = names.map((name) => `total(${name}) AS ${name}`).join(', ')

/** What allocations in memory have counted above their usage; `columns` and `where` are of `a` and `s`, and of `l`. */
export function restsOf(side: 0 | 1, columns: string, where: string): string {
  const letter = side === 0 ? 'c' : 'p'
  const at = `l.${side === 0 ? 'client' : 'peer'}_at`
  const rests = names.map((name) => `l.${letter}_${name} - coalesce(sum(u.${name}), 0) AS ${name}`)
  return `SELECT ${columns}, coalesce(CAST(${at} / 1000 AS INTEGER) / ${BUCKET} * ${BUCKET}, ${UNKNOWN}) AS bucket,
    ${rests.join(', ')} FROM live l JOIN allocation a ON a.id = l.id JOIN stream s ON s.id = a.stream_id
    LEFT JOIN usage u ON u.allocation_id = l.id AND u.side = ${side}
    WHERE ${where} GROUP BY l.id HAVING ${names.map((_, i) => `${rests[i]!.replace(/ AS .*/, '')} <> 0`).join(' OR ')}`
}

/** Rows above `after`, by time and then by value, oldest first. */
export function readUsage(
  db: DatabaseSync,
  query: UsageQuery,
  after: UsagePosition | undefined,
  limit: number,
): UsagePage {
  const began = performance.now()
  const low = Math.max(bound(query.from) ?? UNKNOWN, after?.at ?? UNKNOWN)
  const high = bound(query.to) ?? END
  const rests = readRests(db, query, low, high)
  const first = db.prepare('SELECT min(bucket) AS bucket FROM usage WHERE bucket >= ? AND bucket < ?')
  const written = writtenBy(db, query.by)
  const rows: UsageSum[] = []
  for (let from = low; ; ) {
    const period = nextPeriod(first.get(from, high)!.bucket as number | null, from, rests, query.width)
    if (period === undefined) return { rows, next: null }
    const end = period === UNKNOWN ? 0 : period + query.width
    const found = new Sums(rests.get(period))
    for (const row of written(Math.max(from, period), Math.min(end, high))) found.add(row)
    rows.push(...found.rowsAbove(period, after))
    if (rows.length > limit) {
      const page = rows.slice(0, limit)
      return { rows: page, next: page.at(-1)! }
    }
    from = end
    if (performance.now() - began > PAGE_MS && rows.length > 0) return { rows, next: rows.at(-1)! }
  }
}

/**
 * Reads the rows of usage in some buckets, added up. Allocations of one time lie side by side in the table, so that
 * reading the table between them is more than twice as fast as by the index of buckets (measured); but not where one
 * of them is much older than the others.
 */
function writtenBy(db: DatabaseSync, by: UsageBy): (from: number, to: number) => Row[] {
  const extent = db.prepare(
    `SELECT count(*) AS n, min(allocation_id) AS low, max(allocation_id) AS high FROM usage
     WHERE bucket >= ? AND bucket < ?`,
  )
  const select = (between: string) =>
    db.prepare(
      `SELECT ${values[by]} AS value, u.side, ${sums} FROM usage u ${between}
       JOIN allocation a ON a.id = u.allocation_id JOIN stream s ON s.id = a.stream_id
       WHERE u.bucket >= :from AND u.bucket < :to AND a.session_id IS NOT NULL
       ${between === '' ? '' : 'AND u.allocation_id BETWEEN :low AND :high'} GROUP BY 1, 2`,
    )
  const [byBucket, byTable] = [select(''), select('NOT INDEXED')]
  return (from, to) => {
    const { n, low, high } = extent.get(from, to) as Record<'n' | 'low' | 'high', number>
    const rows = high - low < n ? byTable.all({ from, to, low, high }) : byBucket.all({ from, to })
    return rows as Row[]
  }
}

/** The first bucket of 5 minutes, in seconds, that begins at this time or after it. */
function bound(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.ceil(ms / 1000 / BUCKET) * BUCKET
}

function periodOf(bucket: number, width: number): number {
  return bucket === UNKNOWN ? UNKNOWN : Math.floor(bucket / width) * width
}

/** The next one in which anything was counted. */
function nextPeriod(
  bucket: number | null,
  from: number,
  rests: ReadonlyMap<number, unknown>,
  width: number,
): number | undefined {
  const ahead = Array.from(rests.keys()).filter((period) => period >= periodOf(from, width))
  if (bucket !== null) ahead.push(periodOf(bucket, width))
  return ahead.length === 0 ? undefined : Math.min(...ahead)
}

/** What is not written yet, by period. */
function readRests(db: DatabaseSync, query: UsageQuery, low: number, high: number): Map<number, Row[]> {
  const where = (side: 0 | 1) => {
    const at = `coalesce(l.${side === 0 ? 'client' : 'peer'}_at, -1000)`
    return `a.session_id IS NOT NULL AND ${at} >= :low AND ${at} < :high`
  }
  const rests = ([0, 1] as const).map(
    (side) => `SELECT ${side} AS side, * FROM (${restsOf(side, `${values[query.by]} AS value`, where(side))})`,
  )
  // In the text, for a number that is bound is a double, and then this is no division of whole numbers.
  const period = `CASE WHEN bucket = ${UNKNOWN} THEN bucket ELSE bucket / ${query.width} * ${query.width} END`
  const rows = db
    .prepare(`SELECT ${period} AS period, side, value, ${sums} FROM (${rests.join(' UNION ALL ')}) GROUP BY 1, 2, 3`)
    .all({ low: low * 1000, high: Math.min(high * 1000, END) }) as Row[]
  return Map.groupBy(rows, (row) => row.period as number)
}

/** The sums of one period by value. */
class Sums {
  readonly #byValue = new Map<string | null, Float64Array>()

  constructor(rows: readonly Row[] = []) {
    for (const row of rows) this.add(row)
  }

  add(row: Row): void {
    const value = row.value as string | null
    const sum = this.#byValue.get(value) ?? new Float64Array(8)
    this.#byValue.set(value, sum)
    names.forEach((name, i) => {
      sum[(row.side as number) * 4 + i]! += row[name] as number
    })
  }

  rowsAbove(at: number, after: UsagePosition | undefined): UsageSum[] {
    const rows = Array.from(this.#byValue, ([value, counters]) => ({ at, value, counters }))
    rows.sort((a, b) => order(a.value, b.value))
    return after?.at === at ? rows.filter((row) => order(row.value, after.value) > 0) : rows
  }
}

/** null first. */
function order(a: string | null, b: string | null): number {
  if (a === b) return 0
  if (a === null || b === null) return a === null ? -1 : 1
  return a < b ? -1 : 1
}
