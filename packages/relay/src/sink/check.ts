/** Tries the mapping against the real table and writes nothing. */
import { existsSync } from 'node:fs'
import { ledgerFile } from '../folder.ts'
import { openLedger } from '../read.ts'
import { lastFinal, outboxEnd, readIdentity } from '../store/queries-outbox.ts'
import { type HeldBack, readCursor, targetOf } from './cursor.ts'
import { connect, type Database, DatabaseFault } from './database.ts'
import { describeTable } from './describe.ts'
import type { SinkOptions } from './mapping.ts'
import { type ColumnReport, examine, type Plan } from './plan.ts'
import { targetText } from './url.ts'

export interface SinkCheck {
  /** Where, without the password. */
  readonly target: string
  readonly table: string
  /** What the database calls itself. */
  readonly version: string
  readonly corrections: string
  readonly columns: readonly ColumnReport[]
  /** How rows are known again; null: they are not. */
  readonly key: string | null
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
  /** What the last finished session would give; null: there is none, or there are problems. */
  readonly sample: Sample | null
  /** Sessions whose row is to be written; null: no meter has run on the data folder. */
  readonly waiting: number | null
  readonly held: readonly HeldBack[]
}

export interface Sample {
  readonly session: number
  /** Why it could not be written. */
  readonly problem: string | null
  readonly values: readonly { readonly column: string; readonly text: string | null }[]
}

/** The database cannot be asked; the message is one line. */
export class SinkFault extends Error {}

/** Rejects with a `SinkFault` where the database cannot be asked. */
export async function checkSink(options: SinkOptions, data: string): Promise<SinkCheck> {
  const { target, table: name } = options
  if (target === null) throw new SinkFault(NO_TARGET)
  let database: Database | undefined
  try {
    database = await connect(target)
    await database.command('START TRANSACTION READ ONLY')
    const table = await describeTable(database, name)
    const examined = examine(options, table)
    const { plan } = examined
    const [about] = await database.command('SELECT VERSION() AS version')
    const risks = await loose(database)
    // Even what is only explained is refused in such a transaction.
    await database.command('ROLLBACK')
    const denied = plan === null ? [] : await deniedTo(database, plan, options)
    return {
      target: targetText(target),
      table: name,
      version: String(about?.version),
      corrections: options.corrections,
      columns: examined.columns,
      key: plan === null ? null : keyText(plan, options),
      problems: [...examined.problems, ...denied],
      warnings: [...examined.warnings, ...risks],
      ...ofLedger(options, data, plan),
    }
  } catch (error) {
    if (!(error instanceof DatabaseFault)) throw error
    throw new SinkFault(`${targetText(target)}: ${error.message}`)
  } finally {
    database?.destroy()
  }
}

export const NO_TARGET = 'it is not said where to: give --sink, FETTLE_SINK or relay.sink.url in the settings file'

function keyText({ identity: { key, id } }: Plan, { columns }: SinkOptions): string {
  const { column, field } = columns[id]!
  return key === null ? `${column} (${field.name}), looked up under a lock` : `unique key ${key}, by ${field.name}`
}

/** EXPLAIN needs the rights of what it explains, and does nothing. */
async function deniedTo(database: Database, plan: Plan, { columns }: SinkOptions): Promise<string[]> {
  const values = columns.map(() => null)
  const row = { id: '0', revision: '0', values }
  const update = plan.corrections === 'update' ? plan.statements.update(row) : undefined
  const statements = [plan.statements.look([row]), plan.statements.insert([row]), ...(update ? [update] : [])]
  const problems: string[] = []
  for (const { sql, values } of statements) {
    try {
      await database.run({ sql: `EXPLAIN ${sql}`, values })
    } catch (error) {
      const { kind, message } = error as DatabaseFault
      if (kind === 'away') throw error
      problems.push(message)
    }
  }
  return problems
}

async function loose(database: Database): Promise<string[]> {
  const [row] = await database.command('SELECT @@innodb_flush_log_at_trx_commit AS flush')
  if (Number(row?.flush) === 1) return []
  return [`innodb_flush_log_at_trx_commit is ${row?.flush}: rows of the last second can be lost when its machine dies`]
}

function ofLedger(
  options: SinkOptions,
  data: string,
  plan: Plan | null,
): Pick<SinkCheck, 'sample' | 'waiting' | 'held'> {
  if (!existsSync(ledgerFile(data))) return { sample: null, waiting: null, held: [] }
  const ledger = openLedger(data)
  try {
    const origin = { ledger: readIdentity(ledger), template: options.template }
    const cursor = readCursor(data, targetOf(options), origin.ledger)
    const session = lastFinal(ledger)
    const row = plan === null || session === undefined ? undefined : plan.rowOf(session, origin)
    const values = (texts: readonly (string | null)[]) =>
      texts.map((text, i) => ({ column: options.columns[i]!.column, text }))
    const sample =
      row === undefined
        ? null
        : 'problem' in row
          ? { session: session!.id, problem: row.problem, values: [] }
          : { session: session!.id, problem: null, values: values(row.values) }
    return { sample, waiting: Math.max(0, outboxEnd(ledger) - (cursor?.seq ?? 0)), held: cursor?.held ?? [] }
  } finally {
    ledger.close()
  }
}
