/** The statements for one table. */
import type { Identity } from './identity.ts'
import type { Mapping } from './mapping.ts'
import { quoteId, quoteName } from './names.ts'

/** A row as it is written: its id, its revision, and a text for each column of the mapping. */
export interface Row {
  readonly id: string
  readonly revision: string
  readonly values: readonly (string | null)[]
}

export class Statements {
  readonly #table: string
  readonly #columns: readonly string[]
  readonly #identity: Identity
  /** Indexes of the columns that do not make a row this session's. */
  readonly #others: readonly number[]

  constructor({ table, columns }: Mapping, identity: Identity) {
    this.#table = quoteName(table)
    this.#columns = columns.map(({ column }) => quoteName(column))
    this.#identity = identity
    const own = [identity.id, identity.revision, ...identity.constants]
    this.#others = columns.flatMap((_, i) => (own.includes(i) ? [] : [i]))
  }

  /** Gives `id` and `revision` (1 where rows have none) of the rows that are there. */
  look(rows: readonly Row[]): Statement {
    const { id, isNumber, revision } = this.#identity
    const ids = Array.from(new Set(rows.map((row) => row.id)), (one) => quoteId(one, isNumber))
    const found = revision === null ? '1' : `CAST(${this.#columns[revision]} AS CHAR)`
    const sql = `SELECT CAST(${this.#columns[id]} AS CHAR) AS id, ${found} AS revision FROM ${this.#table}
      WHERE ${this.#columns[id]} IN (${ids.join(', ')})${this.#constants()}`
    return { sql, values: this.#constantsOf(rows[0]!) }
  }

  insert(rows: readonly Row[]): Statement {
    const marks = `(${this.#columns.map(() => '?').join(', ')})`
    return {
      sql: `INSERT INTO ${this.#table} (${this.#columns.join(', ')}) VALUES ${rows.map(() => marks).join(', ')}`,
      values: rows.flatMap((row) => row.values),
    }
  }

  /** undefined: nothing in the row can change. */
  update(row: Row): Statement | undefined {
    if (this.#others.length === 0) return undefined
    const { id, isNumber, revision } = this.#identity
    const set = this.#others.map((i) => `${this.#columns[i]} = ?`).join(', ')
    const also = revision === null ? '' : ` AND ${this.#columns[revision]} = ${quoteId(row.revision, true)}`
    return {
      sql: `UPDATE ${this.#table} SET ${set}
        WHERE ${this.#columns[id]} = ${quoteId(row.id, isNumber)}${also}${this.#constants()}`,
      values: [...this.#others.map((i) => row.values[i]!), ...this.#constantsOf(row)],
    }
  }

  #constants(): string {
    return this.#identity.constants.map((i) => ` AND ${this.#columns[i]} = ?`).join('')
  }

  #constantsOf(row: Row): (string | null)[] {
    return this.#identity.constants.map((i) => row.values[i]!)
  }
}

export interface Statement {
  readonly sql: string
  readonly values: readonly (string | null)[]
}
