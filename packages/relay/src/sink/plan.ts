/** The mapping laid against the table: what is wrong with it, and how a session becomes a row. */
import type { SessionRecord } from '../core/record.ts'
import { constantField, type Origin } from './fields.ts'
import { type Fit, fitColumn } from './fit.ts'
import { findIdentity, type Identity } from './identity.ts'
import type { Mapping, Source } from './mapping.ts'
import { quoteName } from './names.ts'
import { type Row, Statements } from './statements.ts'
import { sameName, type Table, type TableColumn } from './table.ts'

/** What is known of one column of the mapping, for people. */
export interface ColumnReport {
  readonly column: string
  readonly field: string
  /** As in CREATE TABLE; '' where there is no such column. */
  readonly type: string
  readonly problem: string | null
  readonly note: string
}

export interface Examined {
  readonly columns: readonly ColumnReport[]
  /** Lines: nothing is written while there is one. */
  readonly problems: readonly string[]
  /** Lines: what may come to harm. */
  readonly warnings: readonly string[]
  /** Lines: how rows are known again. */
  readonly plan: Plan | null
}

/** How rows are written. */
export class Plan {
  readonly identity: Identity
  readonly statements: Statements
  readonly corrections: Mapping['corrections']
  readonly #columns: readonly Fitted[]
  readonly #revision: number | null

  constructor(mapping: Mapping, identity: Identity, columns: readonly Fitted[]) {
    this.identity = identity
    this.statements = new Statements(mapping, identity)
    this.corrections = mapping.corrections
    this.#columns = columns
    this.#revision = identity.revision
  }

  /** The row, or why this session cannot be written; that line holds no name of a user. */
  rowOf(session: SessionRecord, origin: Origin): Row | { readonly problem: string } {
    const values: (string | null)[] = []
    for (const { source, fit, otherwise } of this.#columns) {
      const value = source.field.read(session, origin)
      const written = value === null ? { text: otherwise } : fit.write(value)
      if ('problem' in written) return { problem: `column ${quoteName(source.column)}: ${written.problem}` }
      values.push(written.text)
    }
    const revision = this.#revision === null ? '1' : values[this.#revision]!
    return { id: values[this.identity.id]!, revision, values }
  }
}

interface Fitted {
  readonly source: Source
  readonly fit: Fit
  readonly otherwise: string | null
}

export function examine(mapping: Mapping, table: Table): Examined {
  const nowhere = placeProblem(mapping, table)
  if (nowhere !== undefined) return { columns: [], problems: [nowhere], warnings: [], plan: null }
  const looked = mapping.columns.map((source) => lookAt(source, table))
  const columns = looked.map(({ report }) => report)
  const identity = findIdentity(mapping, table)
  const problems = [
    ...columns.flatMap(({ column, problem }) => (problem === null ? [] : [`column ${quoteName(column)} ${problem}`])),
    ...unfilled(mapping, table),
    ...('problem' in identity ? [identity.problem] : []),
  ]
  const fitted = looked.flatMap(({ fitted }) => fitted ?? [])
  if ('problem' in identity) return { columns, problems, warnings: [], plan: null }
  const plan = problems.length === 0 ? new Plan(mapping, identity, fitted) : null
  return { columns, problems, warnings: warningsOf(mapping, table, identity), plan }
}

function placeProblem({ table: name }: Mapping, table: Table): string | undefined {
  if (table.kind === null) return `there is no table ${quoteName(name)} there that this user may read and write`
  if (table.kind !== 'BASE TABLE') return `${quoteName(name)} is no table but a ${table.kind.toLowerCase()}`
  return undefined
}

function lookAt(source: Source, table: Table): { readonly report: ColumnReport; readonly fitted?: Fitted } {
  const { field, otherwise } = source
  const column = table.columns.find(({ name }) => sameName(name, source.column))
  const report = { column: source.column, field: field.name, type: column?.fullType ?? '', problem: null, note: '' }
  if (column === undefined) return { report: { ...report, problem: 'is not in the table' } }
  if (column.generated) return { report: { ...report, problem: 'is made by the database' } }
  const found = fitColumn(column, field)
  if ('problem' in found) return { report: { ...report, problem: found.problem } }
  if (otherwise === null) {
    const problem = field.nullable && !column.nullable ? nullProblem(column, table, field.name) : null
    return { report: { ...report, problem, note: found.note }, fitted: { source, fit: found, otherwise: null } }
  }
  const other = fitColumn(column, constantField(otherwise))
  if ('problem' in other) return { report: { ...report, problem: `otherwise ${other.problem}` } }
  const note = [found.note, `else ${otherwise}`].filter((part) => part !== '').join('; ')
  return { report: { ...report, note }, fitted: { source, fit: found, otherwise: String(otherwise) } }
}

function nullProblem(column: TableColumn, { name }: Table, field: string): string {
  const change = `ALTER TABLE ${quoteName(name)} MODIFY ${quoteName(column.name)} ${column.fullType} NULL`
  return `is NOT NULL, and ${field} can be unknown: give {field: ${field}, otherwise: VALUE}, or run ${change}`
}

function unfilled({ columns }: Mapping, table: Table): string[] {
  const isMapped = (name: string) => columns.some(({ column }) => sameName(column, name))
  return table.columns
    .filter(({ name, filled }) => !filled && !isMapped(name))
    .map(({ name }) => `column ${quoteName(name)} is NOT NULL without a default, and nothing is mapped to it`)
}

function warningsOf({ columns }: Mapping, table: Table, identity: Identity): string[] {
  const { key, field, id, constants, isIndexed } = identity
  const name = quoteName(columns[id]!.column)
  const warnings: string[] = []
  if (key === null) {
    warnings.push(`no unique key keeps a second row out: ${name} is looked up before a row is written, under a lock
      of the database, which holds only among fettles; ADD UNIQUE KEY (${name}) is safer`)
    if (!isIndexed) warnings.push(`no index begins with ${name}: the whole table is read for each batch of rows`)
  }
  if (field === 'id' && constants.length === 0) {
    warnings.push(`ids begin with 1 in every ledger, so only this meter may write to the table; map uid, which is no
      other ledger's`)
  }
  if (!/^(innodb|rocksdb|tokudb|ndbcluster)$/i.test(table.engine ?? '')) {
    warnings.push(`the engine ${table.engine} has no transactions: rows can be lost when the database ends badly`)
  }
  const others = table.unique.filter((one) => one.name !== key && one.columns.some((own) => isMapped(columns, own)))
  for (const { name: other, columns: own } of others) {
    warnings.push(`the unique key ${quoteName(other)} over (${own.map(quoteName).join(', ')}) may refuse rows, which are
      held back then`)
  }
  return warnings.map((line) => line.replaceAll(/\s+/g, ' '))
}

const isMapped = (columns: Mapping['columns'], name: string) => columns.some(({ column }) => sameName(column, name))
