/** Asks the database what the table is like. */
import type { Database, Found } from './database.ts'
import type { Table, TableColumn } from './table.ts'

const TABLE = `SELECT TABLE_TYPE AS kind, ENGINE AS engine FROM information_schema.TABLES
  WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?`
const COLUMNS = `SELECT COLUMN_NAME AS name, DATA_TYPE AS type, COLUMN_TYPE AS full_type, IS_NULLABLE AS nullable,
  COLUMN_DEFAULT IS NULL AS without_default, EXTRA AS extra, CHARACTER_MAXIMUM_LENGTH AS letters,
  CHARACTER_OCTET_LENGTH AS bytes, NUMERIC_PRECISION AS digits, NUMERIC_SCALE AS scale,
  DATETIME_PRECISION AS fraction, CHARACTER_SET_NAME AS charset
  FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION`
const INDEXES = `SELECT INDEX_NAME AS name, COLUMN_NAME AS col, NON_UNIQUE AS repeats, SUB_PART AS cut,
  SEQ_IN_INDEX AS nth FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?
  ORDER BY INDEX_NAME, SEQ_IN_INDEX`

export async function describeTable(database: Database, name: string): Promise<Table> {
  const ask = (sql: string) => database.run({ sql, values: [name] })
  const [table] = await ask(TABLE)
  const columns = await ask(COLUMNS)
  const indexes = await ask(INDEXES)
  const byName = Map.groupBy(indexes, (one) => String(one.name))
  return {
    name,
    kind: textOf(table?.kind),
    engine: textOf(table?.engine),
    columns: columns.map(columnOf),
    unique: Array.from(byName, ([index, parts]) => ({ index, parts }))
      .filter(({ parts }) => Number(parts[0]!.repeats) === 0)
      .map(({ index, parts }) => ({
        name: index,
        // An expression of MySQL's has no column: it fits no mapping.
        columns: parts.map(({ col }) => String(col ?? '')),
        cut: parts.some(({ cut }) => cut !== null),
      })),
    indexed: indexes.filter(({ nth, col }) => Number(nth) === 1 && col !== null).map(({ col }) => String(col)),
  }
}

function columnOf(row: Found): TableColumn {
  const extra = String(row.extra ?? '')
  const nullable = row.nullable === 'YES'
  const generated = /\b(VIRTUAL|STORED|PERSISTENT)\b/i.test(extra)
  return {
    name: String(row.name),
    type: String(row.type).toLowerCase(),
    fullType: String(row.full_type),
    nullable,
    filled: nullable || generated || Number(row.without_default) === 0 || /auto_increment/i.test(extra),
    generated,
    letters: numberOf(row.letters),
    bytes: numberOf(row.bytes),
    precision: numberOf(row.digits),
    scale: numberOf(row.scale),
    fraction: numberOf(row.fraction),
    charset: textOf(row.charset),
  }
}

const numberOf = (value: Found[string] | undefined) => (value === null || value === undefined ? null : Number(value))
const textOf = (value: Found[string] | undefined) => (value === null || value === undefined ? null : String(value))
