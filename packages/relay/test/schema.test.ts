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

const outbox = (db: ReturnType<typeof openDatabase>) =>
  db
    .prepare('SELECT * FROM outbox ORDER BY seq')
    .all()
    .map(({ seq, session_id, revision }) => `${seq}: ${session_id}/${revision}`)

test('a ledger of version 1 is brought up to date and keeps its rows', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'fettle-schema-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'ledger.sqlite')
  const fresh = openDatabase(file)
  const wanted = names(fresh)
  // What version 1 did not have.
  const later = ['allocation_by_account', 'usage_by_bucket', 'allocation_by_opening', 'session_live', 'session_ended']
  fresh.exec('DROP TRIGGER session_final; DROP TRIGGER session_revised; DROP TABLE outbox; DROP TABLE identity')
  fresh.exec(`DROP TABLE head; ${later.map((name) => `DROP INDEX ${name};`).join(' ')} PRAGMA user_version = 1`)
  fresh.exec('ALTER TABLE allocation DROP COLUMN origin; ALTER TABLE allocation DROP COLUMN close_reason')
  fresh.exec('ALTER TABLE stream DROP COLUMN cursor')
  fresh.exec("INSERT INTO session VALUES (7, 'key', 0, 0, NULL, NULL, 0), (8, 'other', 0, 0, 5, 6, 3)")
  fresh.close()
  const db = openDatabase(file)
  t.after(() => db.close())
  assert.deepEqual(names(db), wanted)
  assert.equal(db.prepare('PRAGMA user_version').get()!.user_version, SCHEMA_VERSION)
  assert.equal(db.prepare('SELECT commits FROM head').get()!.commits, 0)
  assert.equal(db.prepare('SELECT id FROM session').get()!.id, 7)
  db.prepare('SELECT a.origin, a.close_reason, s.cursor FROM allocation a, stream s').all()
  assert.deepEqual(outbox(db), ['1: 8/0'], 'what was final before is passed on as well')
})

test('what becomes final, and each revision of it after that, is in the outbox, in order', (t) => {
  const db = openDatabase(':memory:')
  t.after(() => db.close())
  db.exec("INSERT INTO session VALUES (1, 'a', 0, 1, NULL, NULL, 0), (2, 'b', 0, 0, 5, NULL, 0)")
  db.exec('UPDATE session SET revision = 1 WHERE id = 1; UPDATE session SET open = 0, last_closed = 3')
  assert.deepEqual(outbox(db), [])
  db.exec('UPDATE session SET settled_at = 9 WHERE id = 2; UPDATE session SET settled_at = 9 WHERE id = 1')
  db.exec('UPDATE session SET settled_at = 10 WHERE id = 1; UPDATE session SET revision = 1 WHERE id = 2')
  assert.deepEqual(outbox(db), ['1: 2/0', '2: 1/1', '3: 2/1'])
  assert.throws(() => db.exec('DELETE FROM outbox'), /append-only/)
  assert.throws(() => db.exec('UPDATE outbox SET revision = 0'), /append-only/)
})

test('each ledger has a name of its own', (t) => {
  const names = [1, 2].map(() => {
    const db = openDatabase(':memory:')
    t.after(() => db.close())
    return db.prepare('SELECT uid FROM identity').get()!.uid as string
  })
  for (const name of names) assert.match(name, /^[0-9a-f]{16}$/)
  assert.notEqual(names[0], names[1])
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
