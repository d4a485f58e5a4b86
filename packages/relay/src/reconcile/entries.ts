/** Allocations of two ledgers, by path. */
import type { DatabaseSync } from 'node:sqlite'
import type { Entry } from '../core/match.ts'
import type { Row } from '../store/queries.ts'
import { ALLOCATIONS, allocationFacts, readSums } from '../store/queries-rows.ts'

/** An allocation that was not looked at closely. */
type Glimpse = Pick<Entry, 'id' | 'stream' | 'boot'>

/** What two ledgers have of one path, in the order in which it was first heard of. */
interface Paired<T> {
  readonly path: Uint8Array
  readonly mine: readonly T[]
  readonly others: readonly T[]
}

export type Group = Paired<Entry>

const PAGE = 20_000
const GROUPS = 500
const PROGRESS_GROUPS = 20_000

/**
 * Who has what, by the paths of `other`, which belongs to this alone: what it takes to find them is put in there, for
 * there may be millions. Only streams of `mine` that are wanted count.
 */
export class Ledgers {
  readonly #mine: DatabaseSync
  readonly #other: DatabaseSync
  readonly #progress: (line: string) => void

  constructor(
    mine: DatabaseSync,
    other: DatabaseSync,
    isWanted: (stream: number) => boolean,
    progress: (line: string) => void,
  ) {
    this.#mine = mine
    this.#other = other
    this.#progress = progress
    other.exec(`CREATE INDEX allocation_by_path ON allocation (path) WHERE session_id IS NOT NULL;
      CREATE TEMP TABLE mine (path BLOB, id INTEGER, stream_id INTEGER, boot INTEGER)`)
    const keep = other.prepare(`INSERT INTO temp.mine SELECT :path, :id, :stream_id, :boot
      WHERE EXISTS (SELECT 1 FROM allocation WHERE path = :path AND session_id IS NOT NULL)`)
    other.exec('BEGIN')
    let count = 0
    for (const row of glimpses(mine)) {
      if (isWanted(row.stream_id as number)) keep.run(row)
      if (++count % PAGE === 0) progress(`${count} records looked at`)
    }
    other.exec('COMMIT; CREATE INDEX temp.mine_by_path ON mine (path)')
  }

  /** How many allocations the other ledger has. */
  get size(): number {
    return this.#other.prepare('SELECT count(*) AS n FROM allocation WHERE session_id IS NOT NULL').get()!.n as number
  }

  /** Group by group. `isLookedAt`: only those of which it is true. */
  *groups(isLookedAt: (group: Paired<Glimpse>) => boolean = () => true): Generator<Group> {
    const part: Paired<Glimpse>[] = []
    let count = 0
    for (const group of this.#paths()) {
      if (++count % PROGRESS_GROUPS === 0) this.#progress(`${count} of the log compared`)
      if (isLookedAt(group)) part.push(group)
      if (part.length >= GROUPS) yield* this.#read(part.splice(0))
    }
    yield* this.#read(part)
  }

  *#paths(): Generator<Paired<Glimpse>> {
    const rows = this.#other.prepare(
      'SELECT id, stream_id, boot, path FROM allocation WHERE session_id IS NOT NULL ORDER BY path, id',
    )
    const mine = this.#other.prepare('SELECT id, stream_id, boot FROM temp.mine WHERE path = ? ORDER BY id')
    let path: Uint8Array | undefined
    let others: Glimpse[] = []
    const group = () => ({ path: path!, mine: (mine.all(path!) as Row[]).map(glimpse), others })
    for (const row of rows.iterate() as Iterable<Row>) {
      const next = row.path as unknown as Uint8Array
      if (path !== undefined && Buffer.compare(path, next) !== 0) {
        yield group()
        others = []
      }
      path = next
      others.push(glimpse(row))
    }
    if (path !== undefined) yield group()
  }

  *#read(part: readonly Paired<Glimpse>[]): Generator<Group> {
    const mine = readEntries(
      this.#mine,
      part.flatMap((one) => one.mine),
    )
    const others = readEntries(
      this.#other,
      part.flatMap((one) => one.others),
    )
    for (const one of part) {
      yield {
        path: one.path,
        mine: one.mine.map(({ id }) => mine.get(id)!),
        others: one.others.map(({ id }) => others.get(id)!),
      }
    }
  }
}

const glimpse = ({ id, stream_id, boot }: Row) => ({ id, stream: stream_id, boot }) as Glimpse

/** A page at a time, so that a running meter can write back its log. */
function* glimpses(db: DatabaseSync): Generator<Row> {
  const page = db.prepare(
    `SELECT id, stream_id, boot, path FROM allocation
     WHERE id > ? AND session_id IS NOT NULL ORDER BY id LIMIT ${PAGE}`,
  )
  for (let after = 0; ; ) {
    const rows = page.all(after) as Row[]
    if (rows.length === 0) return
    yield* rows
    after = rows.at(-1)!.id as number
  }
}

const BY_ID = `${ALLOCATIONS} a.id IN (SELECT value FROM json_each(?))`

function readEntries(db: DatabaseSync, glimpsed: readonly Glimpse[]): Map<number, Entry> {
  const rows = db.prepare(BY_ID).all(JSON.stringify(glimpsed.map(({ id }) => id))) as Row[]
  const sums = readSums(db, rows)
  const facts = new Map(rows.map((row) => [row.id as number, allocationFacts(row, sums)]))
  return new Map(glimpsed.map((one) => [one.id, { ...one, facts: facts.get(one.id)! }]))
}
