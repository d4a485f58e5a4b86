/** Rows into the table, each once: looked up, then written, in one transaction. */
import { createHash } from 'node:crypto'
import { type Database, DatabaseFault } from './database.ts'
import type { Plan } from './plan.ts'
import type { Row, Statement } from './statements.ts'

/** A session and what may be done about it. */
export interface Job {
  readonly session: number
  readonly row: Row
  /** Its row may be there already: a batch was broken off, or this is a later revision. */
  readonly mayExist: boolean
  /** The row that is there is brought up to date. */
  readonly updates: boolean
}

export interface Delivered {
  /** Rows that were written or changed. */
  readonly rows: number
  readonly refused: readonly Refusal[]
}

export interface Refusal {
  readonly session: number
  readonly foreign: boolean
  readonly why: string
}

const FOREIGN = 'a row with its id is there already, which this meter did not write'
/** A packet may have no more than a megabyte in old versions. */
const INSERT_BYTES = 256 * 1024
const LOCK_SECONDS = 10

/**
 * Writes them all at once; where the database refuses a row, one by one, so that only that one is missing. Throws a
 * `DatabaseFault` when it is not about a row; what was committed until then is found the next time.
 */
export async function deliver(database: Database, plan: Plan, table: string, jobs: readonly Job[]): Promise<Delivered> {
  if (jobs.length === 0) return { rows: 0, refused: [] }
  try {
    return await transaction(database, plan, table, jobs)
  } catch (error) {
    if (!isRowFault(error)) throw error
  }
  const refused: Refusal[] = []
  let rows = 0
  for (const job of jobs) {
    try {
      const one = await transaction(database, plan, table, [job])
      rows += one.rows
      refused.push(...one.refused)
    } catch (error) {
      if (!isRowFault(error)) throw error
      refused.push({ session: job.session, foreign: false, why: error.message })
    }
  }
  return { rows, refused }
}

const isRowFault = (error: unknown): error is DatabaseFault => error instanceof DatabaseFault && error.kind === 'row'

async function transaction(database: Database, plan: Plan, table: string, jobs: readonly Job[]): Promise<Delivered> {
  const lock = plan.identity.key === null ? lockOf(table) : undefined
  if (lock !== undefined) await takeLock(database, lock)
  await database.command('START TRANSACTION')
  try {
    const delivered = await write(database, plan, jobs)
    await database.command('COMMIT')
    return delivered
  } catch (error) {
    if (isRowFault(error)) await database.command('ROLLBACK')
    throw error
  } finally {
    // Where the connection is broken the lock ends with it.
    if (lock !== undefined) await database.command(`DO RELEASE_LOCK('${lock}')`).catch(() => {})
  }
}

async function write(database: Database, { statements }: Plan, jobs: readonly Job[]): Promise<Delivered> {
  const found = await database.run(statements.look(jobs.map(({ row }) => row)))
  const there = new Set(found.map(({ id, revision }) => `${id}/${revision}`))
  const isThere = ({ row }: Job) => there.has(`${row.id}/${row.revision}`)
  const missing = jobs.filter((job) => !isThere(job))
  for (const rows of chunks(missing.map(({ row }) => row))) await database.run(statements.insert(rows))
  const present = jobs.filter(isThere)
  const updates = present.filter(({ mayExist, updates }) => mayExist && updates)
  for (const statement of updates.flatMap(({ row }) => statements.update(row) ?? [])) await database.run(statement)
  const foreign = present.filter(({ mayExist }) => !mayExist)
  return {
    rows: missing.length + updates.length,
    refused: foreign.map(({ session }) => ({ session, foreign: true, why: FOREIGN })),
  }
}

function* chunks(rows: readonly Row[]): Generator<Row[]> {
  let chunk: Row[] = []
  let bytes = 0
  for (const row of rows) {
    const size = row.values.reduce((sum, value) => sum + (value === null ? 1 : Buffer.byteLength(value) + 9), 0)
    if (chunk.length > 0 && bytes + size > INSERT_BYTES) {
      yield chunk
      chunk = []
      bytes = 0
    }
    chunk.push(row)
    bytes += size
  }
  if (chunk.length > 0) yield chunk
}

/** Locks are the server's, not the database's, and have at most 64 letters. */
const lockOf = (table: string) => `fettle-${createHash('sha1').update(table).digest('hex')}`

async function takeLock(database: Database, lock: string): Promise<void> {
  const ask: Statement = { sql: `SELECT GET_LOCK('${lock}', ${LOCK_SECONDS}) AS held`, values: [] }
  const [answer] = await database.run(ask)
  if (Number(answer?.held) !== 1) throw new DatabaseFault('refused', 'another fettle is writing to the table')
}
