/** A table as its database describes it. */

export interface TableColumn {
  readonly name: string
  /** Without length and sign, in small letters: `bigint`, `varchar`. */
  readonly type: string
  /** As in CREATE TABLE: `int(10) unsigned`. */
  readonly fullType: string
  readonly nullable: boolean
  /** Left out of an INSERT it is filled by the database. */
  readonly filled: boolean
  /** The database makes the value, nobody else may. */
  readonly generated: boolean
  /** Of texts: how many letters, and bytes, it holds. */
  readonly letters: number | null
  readonly bytes: number | null
  /** Of numbers. */
  readonly precision: number | null
  readonly scale: number | null
  /** Of DATETIME and TIMESTAMP: digits of a second's fraction. */
  readonly fraction: number | null
  readonly charset: string | null
}

export interface UniqueKey {
  readonly name: string
  readonly columns: readonly string[]
  /** It holds only the first letters of a column. */
  readonly cut: boolean
}

export interface Table {
  readonly name: string
  readonly engine: string | null
  /** null: there is no such table that the user may see. */
  readonly kind: string | null
  readonly columns: readonly TableColumn[]
  readonly unique: readonly UniqueKey[]
  /** Columns with which some index begins. */
  readonly indexed: readonly string[]
}

/** MySQL tells names of columns apart without regard to case. */
export const sameName = (a: string, b: string) => a.toLowerCase() === b.toLowerCase()

export const isUnsigned = ({ fullType }: TableColumn) => /\bunsigned\b/i.test(fullType)

const BITS: Readonly<Record<string, number>> = { tinyint: 8, smallint: 16, mediumint: 24, int: 32, bigint: 64 }

/** The largest whole number that the column holds; undefined: it is no column of whole numbers. */
export function integerMax(column: TableColumn): number | undefined {
  const bits = BITS[column.type]
  if (bits !== undefined) return 2 ** (isUnsigned(column) ? bits : bits - 1) - 1
  if (column.type === 'decimal') return 10 ** ((column.precision ?? 10) - (column.scale ?? 0)) - 1
  return undefined
}

export const isText = ({ type }: TableColumn) => /^(char|varchar|(tiny|medium|long)?text)$/.test(type)

/** The words of an ENUM, in small letters; undefined: it is none. */
export function enumWords({ type, fullType }: TableColumn): string[] | undefined {
  if (type !== 'enum') return undefined
  return Array.from(fullType.matchAll(/'((?:[^']|'')*)'/g), ([, word]) => word!.replaceAll("''", "'").toLowerCase())
}
