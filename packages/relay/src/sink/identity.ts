/** By what a session's row is known again: without that nobody could say whether it is there already. */
import type { Mapping } from './mapping.ts'
import { quoteName } from './names.ts'
import { sameName, type Table, type UniqueKey } from './table.ts'

/** Indexes into the columns of the mapping. */
export interface Identity {
  /** The column with the session's `uid` or `id`. */
  readonly id: number
  readonly isNumber: boolean
  /** What it holds. */
  readonly field: 'uid' | 'id'
  /** Each revision has a row of its own. */
  readonly revision: number | null
  /** Columns that hold the same in all rows of this meter. */
  readonly constants: readonly number[]
  /** The key that keeps a second row out; null: nobody does but us, who look first, one writer at a time. */
  readonly key: string | null
  readonly isIndexed: boolean
}

const ID_COLUMN = 'fettle_uid'

/** How rows are known again, or what must be changed. `problem` is one line. */
export function findIdentity(mapping: Mapping, table: Table): Identity | { readonly problem: string } {
  const { columns, corrections } = mapping
  const revision = columns.findIndex(({ field }) => field.name === 'revision')
  const byRevision = corrections === 'insert' ? revision : null
  const candidates = ['uid', 'id'].flatMap((name) => {
    const id = columns.findIndex(({ field }) => field.name === name)
    return id < 0 ? [] : [{ id, key: table.unique.find((one) => identifies(one, mapping, id, byRevision)) }]
  })
  const chosen = candidates.find(({ key }) => key !== undefined) ?? candidates[0]
  if (chosen === undefined) return { problem: withoutId(mapping.table) }
  if (byRevision !== null && revision < 0) {
    return { problem: 'corrections: insert makes a row for each revision, so a column must be mapped to revision' }
  }
  const { id, key } = chosen
  const { column, field } = columns[id]!
  const hindering = table.unique.find(({ columns: [name, ...more] }) => more.length === 0 && sameName(name!, column))
  if (byRevision !== null && hindering !== undefined) {
    return { problem: withoutRoom(hindering.name, [column, columns[byRevision]!.column]) }
  }
  const isUsed = (name: string) => key === undefined || key.columns.some((one) => sameName(one, name))
  return {
    id,
    field: field.name as 'uid' | 'id',
    isNumber: field.name === 'id' && !isTextual(table, column),
    revision: byRevision,
    constants: columns.flatMap((one, i) => (isOwn(one.field) && isUsed(one.column) ? [i] : [])),
    key: key?.name ?? null,
    isIndexed: table.indexed.some((name) => sameName(name, column)),
  }
}

/** The same in every row that this meter writes. */
const isOwn = ({ kind, name }: Mapping['columns'][number]['field']) => kind === 'constant' || name === 'ledger'

function isTextual(table: Table, column: string): boolean {
  const found = table.columns.find(({ name }) => sameName(name, column))
  return found !== undefined && /char|text|binary|blob/.test(found.type)
}

/** Every column of the key says which session, and which revision where each has a row, and nothing else. */
function identifies(key: UniqueKey, { columns }: Mapping, id: number, revision: number | null): boolean {
  if (key.cut) return false
  const mapped = key.columns.map((name) => columns.findIndex(({ column }) => sameName(column, name)))
  const isFit = (i: number) => i === id || i === revision || (i >= 0 && isOwn(columns[i]!.field))
  return mapped.includes(id) && (revision === null || mapped.includes(revision)) && mapped.every(isFit)
}

function withoutRoom(key: string, wanted: readonly string[]): string {
  return `corrections: insert makes a further row of a session, which the unique key ${quoteName(key)} refuses; it
    must be over (${wanted.map(quoteName).join(', ')})`.replaceAll(/\s+/g, ' ')
}

function withoutId(table: string): string {
  const column = quoteName(ID_COLUMN)
  return `nothing says which session a row is of, so that it could be written twice; run ALTER TABLE ${quoteName(table)}
    ADD ${column} VARCHAR(40) CHARACTER SET ascii NULL, ADD UNIQUE KEY ${column} (${column}); and map
    ${ID_COLUMN}: uid`.replaceAll(/\s+/g, ' ')
}
