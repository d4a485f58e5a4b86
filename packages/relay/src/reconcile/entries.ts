/** Allocations of two ledgers, by path. */
import type { DatabaseSync } from 'node:sqlite'
import type { Entry } from '../core/match.ts'
import type { Row } from '../store/queries.ts'
import { ALLOCATIONS, allocationFacts, readSums } from '../store/queries-rows.ts'

/** An allocation that was not looked at closely. */
type Glimpse = Pick<Entry, 'id' | 'stream' | 'boot'>

/** What two ledgers have of one path, in the order in which it was first heard of. */
export interface Group {
  readonly path: Uint8Array
  readonly mine: readonly Entry[]
  readonly others: readonly Entry[]
}

const PAGE = 20_000
const GROUPS = 500

/** Who has what, by the paths of `other`; only streams of `mine` that are wanted count. */
export class Ledgers {
  readonly #mine: DatabaseSync
  readonly #other: DatabaseSync
  /** One character for each byte of a path. */
  readonly #groups = new Map<string, { mine: Glimpse[]; others: Glimpse[] }>()

  constructor(mine: DatabaseSync, other: DatabaseSync, isWanted: (stream: number) => boolean) {
    this.#mine = mine
    this.#other = other
    for (const [path, one] of glimpses(other)) {
      const group = this.#groups.get(path)
      if (group === undefined) this.#groups.set(path, { mine: [], others: [one] })
      else group.others.push(one)
    }
    for (const [path, one] of glimpses(mine)) if (isWanted(one.stream)) this.#groups.get(path)?.mine.push(one)
  }

  /** How many allocations the other ledger has. */
  get size(): number {
    let sum = 0
    for (const { others } of this.#groups.values()) sum += others.length
    return sum
  }

  /** Group by group; each ledger is read a little at a time, so that a running meter can write back its log. */
  *[Symbol.iterator](): Generator<Group> {
    const groups = Array.from(this.#groups)
    for (let at = 0; at < groups.length; at += GROUPS) {
      const part = groups.slice(at, at + GROUPS)
      const mine = readEntries(
        this.#mine,
        part.flatMap(([, one]) => one.mine),
      )
      const others = readEntries(
        this.#other,
        part.flatMap(([, one]) => one.others),
      )
      for (const [path, one] of part) {
        yield {
          path: Buffer.from(path, 'latin1'),
          mine: one.mine.map(({ id }) => mine.get(id)!),
          others: one.others.map(({ id }) => others.get(id)!),
        }
      }
    }
  }
}

function* glimpses(db: DatabaseSync): Generator<[string, Glimpse]> {
  const page = db.prepare(
    `SELECT id, stream_id, boot, path FROM allocation
     WHERE id > ? AND session_id IS NOT NULL ORDER BY id LIMIT ${PAGE}`,
  )
  for (let after = 0; ; ) {
    const rows = page.all(after) as (Row & { readonly path: unknown })[]
    if (rows.length === 0) return
    for (const { id, stream_id, boot, path } of rows) {
      const one = { id, stream: stream_id, boot } as Glimpse
      yield [Buffer.from(path as Uint8Array).toString('latin1'), one]
    }
    after = rows.at(-1)!.id as number
  }
}

const BY_ID = `${ALLOCATIONS} a.id IN (SELECT value FROM json_each(?))`

export function readEntries(db: DatabaseSync, glimpsed: readonly Glimpse[]): Map<number, Entry> {
  const rows = db.prepare(BY_ID).all(JSON.stringify(glimpsed.map(({ id }) => id))) as Row[]
  const sums = readSums(db, rows)
  const facts = new Map(rows.map((row) => [row.id as number, allocationFacts(row, sums)]))
  return new Map(glimpsed.map((one) => [one.id, { ...one, facts: facts.get(one.id)! }]))
}
