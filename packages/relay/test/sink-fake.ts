/** A database in memory that understands what the sink says to it, and breaks when it is told to. */
import { type Database, DatabaseFault, type Found } from '../src/sink/database.ts'
import type { Statement } from '../src/sink/statements.ts'

export interface FakeRow {
  readonly uid: string
  readonly device: string
  readonly rcvb: string
  readonly revision: string
}

/** What happens with a statement: `before`: it is not heard; `after`: it is done and the answer is lost. */
export type Fate = 'done' | 'before' | 'after'

const COLUMNS = ['uid', 'device', 'rcvb', 'revision'] as const
/** The mapping that this table is made for. */
export const fakeColumns = { uid: 'uid', device: 'device', rcvb: 'rcvb', revision: 'revision' }

export class FakeDatabase {
  rows: FakeRow[] = []
  readonly fate: () => Fate
  /** No unique key keeps a second row out. */
  readonly isMarked: boolean
  statements = 0

  constructor(fate: () => Fate = () => 'done', isMarked = false) {
    this.fate = fate
    this.isMarked = isMarked
  }

  async connect(): Promise<Database> {
    let draft: FakeRow[] | undefined
    let isBroken = false
    const transact = (sql: string) => {
      if (sql === 'START TRANSACTION') draft = [...this.rows]
      if (sql === 'COMMIT') this.rows = draft!
      if (/^(COMMIT|ROLLBACK)$/.test(sql)) draft = undefined
    }
    const run = async ({ sql, values }: Statement): Promise<readonly Found[]> => {
      this.statements++
      const fate = sql.includes('information_schema') ? 'done' : this.fate()
      await undefined
      if (isBroken) throw new DatabaseFault('away', 'the connection is broken')
      isBroken = fate !== 'done'
      if (fate === 'before') throw new DatabaseFault('away', 'it was killed')
      const found = this.#answer(sql, values, draft ?? this.rows, (rows) => {
        draft = rows
      })
      transact(sql)
      if (fate === 'after') throw new DatabaseFault('away', 'it was killed')
      return found
    }
    return {
      run,
      command: (sql) => run({ sql, values: [] }),
      destroy: () => {
        isBroken = true
      },
    }
  }

  #answer(
    sql: string,
    values: readonly (string | null)[],
    rows: readonly FakeRow[],
    put: (rows: FakeRow[]) => void,
  ): Found[] {
    if (sql.includes('information_schema')) return this.#described(sql)
    if (sql.startsWith('SELECT GET_LOCK')) return [{ held: 1 }]
    if (sql.startsWith('SELECT CAST')) {
      const ids = Array.from(sql.matchAll(/'([^']+)'/g), ([, id]) => id)
      return rows.filter(({ uid }) => ids.includes(uid)).map(({ uid }) => ({ id: uid, revision: '1' }))
    }
    if (sql.startsWith('INSERT')) put([...rows, ...this.#inserted(values, rows)])
    if (sql.startsWith('UPDATE')) {
      const [, id] = /'([^']+)'/.exec(sql)!
      const [device, rcvb, revision] = values as [string, string, string]
      put(rows.map((row) => (row.uid === id ? { uid: id, device, rcvb, revision } : row)))
    }
    return []
  }

  #described(sql: string): Found[] {
    if (sql.includes('.TABLES')) return [{ kind: 'BASE TABLE', engine: 'InnoDB' }]
    if (sql.includes('.COLUMNS')) return COLUMNS.map(columnFound)
    return this.isMarked ? [] : [{ name: 'PRIMARY', col: 'uid', repeats: 0, cut: null, nth: 1 }]
  }

  #inserted(values: readonly (string | null)[], rows: readonly FakeRow[]): FakeRow[] {
    const added: FakeRow[] = []
    for (let i = 0; i < values.length; i += COLUMNS.length) {
      const [uid, device, rcvb, revision] = values.slice(i, i + COLUMNS.length) as [string, string, string, string]
      if (device.startsWith('bad')) throw new DatabaseFault('row', 'a CHECK of the table refuses it (error 4025)')
      if (!this.isMarked && rows.some((row) => row.uid === uid))
        throw new DatabaseFault('row', 'the same key (PRIMARY)')
      added.push({ uid, device, rcvb, revision })
    }
    return added
  }
}

function columnFound(name: (typeof COLUMNS)[number]): Found {
  const isText = name === 'uid' || name === 'device'
  return {
    name,
    type: isText ? 'varchar' : 'bigint',
    full_type: isText ? 'varchar(64)' : 'bigint(20)',
    nullable: 'NO',
    without_default: 1,
    extra: '',
    letters: isText ? 64 : null,
    bytes: isText ? 256 : null,
    digits: isText ? null : 19,
    scale: isText ? null : 0,
    fraction: null,
    charset: isText ? 'utf8mb4' : null,
  }
}
