import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openDatabase } from '../src/store/ledger.ts'
import { SCHEMA_VERSION } from '../src/store/schema.ts'

const names = (db: ReturnType<typeof openDatabase>) =>
  db
    .prepare("SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name")
    .all()
    .map(({ name }) => name)

test('a ledger of version 1 is brought up to date and keeps its rows', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'fettle-schema-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'ledger.sqlite')
  const fresh = openDatabase(file)
  const wanted = names(fresh)
  // What version 1 did not have.
  const later = ['allocation_by_account', 'usage_by_bucket', 'allocation_by_opening', 'session_live', 'session_ended']
  fresh.exec(`DROP TABLE head; ${later.map((name) => `DROP INDEX ${name};`).join(' ')} PRAGMA user_version = 1`)
  fresh.exec("INSERT INTO session VALUES (7, 'key', 0, 0, NULL, NULL, 0)")
  fresh.close()
  const db = openDatabase(file)
  t.after(() => db.close())
  assert.deepEqual(names(db), wanted)
  assert.equal(db.prepare('PRAGMA user_version').get()!.user_version, SCHEMA_VERSION)
  assert.equal(db.prepare('SELECT commits FROM head').get()!.commits, 0)
  assert.equal(db.prepare('SELECT id FROM session').get()!.id, 7)
})

test('a ledger of a later version is refused with one line', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'fettle-schema-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'ledger.sqlite')
  const db = openDatabase(file)
  db.exec(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`)
  db.close()
  assert.throws(() => openDatabase(file), /\S+ is a ledger of version \d+; this fettle reads up to/)
})
