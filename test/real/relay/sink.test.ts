/** The row sink and a real MariaDB that says no: what is refused, what is held back, and what goes on again by itself. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { exitOf, find, Ground, until } from '../harness.ts'
import { MariaDb } from '../mariadb.ts'
import { CALLS_ROWS, CALLS_SINK, CALLS_TABLE, callAtOnce, finalSessions, Sinking, Wire } from '../sinking.ts'

const COUNTS = [100, 100_000, 50, 5000] as const

async function rows(database: MariaDb, count: number): Promise<string[]> {
  await until(`${count} rows`, async () => (await database.sql(CALLS_ROWS)).length === count, 40)
  return (await database.sql(CALLS_ROWS)).sort()
}

test('[R36] a table with neither a key nor a marker is refused until its ALTER TABLE is run', async (t) => {
  const ground = new Ground(t)
  const database = await MariaDb.start(ground)
  await database.sql('CREATE TABLE billing.calls (device VARCHAR(64) NOT NULL)')
  const sinking = new Sinking(ground, database, '    table: calls\n    columns: { device: device }\n')
  const refused = await sinking.check()
  assert.equal(refused.status, 1)
  const [, remedy] = /run (ALTER TABLE .*);/.exec(refused.output) ?? []
  const meter = await sinking.serve()
  await until('the refusal', () => meter.running.output.includes('no row can be written, trying again: nothing says'))
  meter.running.kill('SIGTERM')
  assert.equal(await exitOf(meter.running), 0)
  await database.sql('USE billing', remedy!)
  sinking.configure('    table: calls\n    columns: { device: device, fettle_uid: uid }\n')
  const taken = await sinking.check()
  assert.equal(taken.status, 0, taken.output)
  assert.deepEqual(await database.sql('SELECT * FROM billing.calls'), [], 'a check writes nothing')
})

test('[R36] a marker without a key: looked up under a lock, also with two meters at once', async (t) => {
  const ground = new Ground(t)
  const database = await MariaDb.start(ground)
  await database.sql(CALLS_TABLE.replace('NOT NULL PRIMARY KEY', 'NULL'))
  const sinkings = ['one', 'two'].map((name) => new Sinking(ground, database, CALLS_SINK, '', name))
  const meters = await Promise.all(sinkings.map((one) => one.serve()))
  await Promise.all(meters.map((meter) => callAtOnce(meter, 0, 500)))
  const wanted = meters.flatMap(({ data }) => finalSessions(data)).sort()
  assert.ok(wanted.length >= 1000)
  assert.deepEqual(await rows(database, wanted.length), wanted)
  const { output } = await sinkings[0]!.check()
  assert.match(output, /warning: no unique key keeps a second row out/)
  assert.match(output, /warning: no index begins with `fettle_uid`/)
})

/** What comes late after the end, as the meter writes it. */
function revise(data: string, session: number): void {
  const db = new DatabaseSync(join(data, 'ledger.sqlite'), { timeout: 5000 })
  db.exec(`BEGIN IMMEDIATE;
    INSERT INTO usage SELECT allocation_id, bucket, side, max(entry) + 1, 0, 5, 0, 0 FROM usage
      WHERE side = 0 AND allocation_id IN (SELECT id FROM allocation WHERE session_id = ${session}) GROUP BY allocation_id;
    UPDATE session SET revision = revision + 1 WHERE id = ${session};
    COMMIT`)
  db.close()
}

const BYTES = 'SELECT substring_index(fettle_uid, "-", -1), rcvb, revision FROM billing.calls ORDER BY revision'
for (const [corrections, expected] of [
  ['update', ['1\t100005\t1']],
  ['insert', ['1\t100000\t0', '1\t100005\t1']],
  ['ignore', ['1\t100000\t0']],
] as const) {
  test(`[R38] corrections: ${corrections}`, async (t) => {
    const ground = new Ground(t)
    const database = await MariaDb.start(ground)
    await database.sql(`${CALLS_TABLE.replace('PRIMARY KEY', '').slice(0, -1)}, revision INT NOT NULL,
      UNIQUE KEY one (${corrections === 'insert' ? 'fettle_uid, revision' : 'fettle_uid'}))`)
    const sink = `${CALLS_SINK}      revision: revision\n    corrections: ${corrections}\n`
    const meter = await new Sinking(ground, database, sink).serve()
    const wire = await Wire.open(meter)
    wire.call('1:alice', 1, COUNTS)
    await rows(database, 1)
    revise(meter.data, 1)
    wire.call('1:bob', 2, COUNTS)
    // In the order of the outbox: when this one is there, the correction was dealt with.
    const devices = async () => (await database.sql("SELECT 1 FROM billing.calls WHERE device = 'bob'")).length
    await until('the next row', async () => (await devices()) === 1, 30)
    await database.sql("DELETE FROM billing.calls WHERE device = 'bob'")
    assert.deepEqual(await database.sql(BYTES), [...expected])
    wire.end()
  })
}

test('[R37, R39] a table that goes and comes, a password that is wrong, rows that do not fit: no row is lost', async (t) => {
  const ground = new Ground(t)
  const database = await MariaDb.start(ground)
  await database.sql(CALLS_TABLE.replace('VARCHAR(64)', 'VARCHAR(10)'))
  const sinking = new Sinking(ground, database, CALLS_SINK)
  let meter = await sinking.serve()
  let wire = await Wire.open(meter)
  wire.call('1:alice', 1, COUNTS)
  wire.call('1:a-name-of-more-than-ten', 2, COUNTS)
  wire.call('1:bob', 3, COUNTS)
  await rows(database, 2)
  await until('that it is said', () => meter.running.output.includes('is held back: column `device`: a text of 23'))
  assert(!/held back.*a-name/.test(meter.running.output), 'the name is not in that line')
  assert.equal((await sinking.check()).status, 1)

  await database.sql('RENAME TABLE billing.calls TO billing.gone')
  wire.call('1:carol', 4, COUNTS)
  await until('that it is said', () => /no row can be written.*(no table|doesn't exist)/.test(meter.running.output))
  await database.sql('ALTER TABLE billing.gone MODIFY device VARCHAR(64) NOT NULL')
  await database.sql('RENAME TABLE billing.gone TO billing.calls')
  await rows(database, 4)
  await until('that it is said', () => meter.running.output.includes('rows can be written again'))

  const began = performance.now()
  meter.running.kill('SIGTERM')
  assert.equal(await exitOf(meter.running), 0)
  assert(performance.now() - began < 5000)
  wire.end()
  const right = sinking.url
  sinking.url = right.replace(/:[^:@]*@/, ':wrong@')
  const denied = await sinking.check()
  assert.equal(denied.status, 3)
  assert.match(denied.output, /Access denied for user 'fettle'/)
  meter = await sinking.serve(meter.port)
  await until('that it is said', () => meter.running.output.includes('Access denied'))
  assert(!meter.running.output.includes('wrong@'))
  wire = await Wire.open(meter)
  wire.call('1:dave', 5, COUNTS)
  await wait(300)
  meter.running.kill('SIGTERM')
  await exitOf(meter.running)
  sinking.url = right
  meter = await sinking.serve(meter.port)
  assert.deepEqual(await rows(database, 5), finalSessions(meter.data))
  await database.sql('REVOKE INSERT ON billing.* FROM fettle', 'FLUSH PRIVILEGES')
  const { status, output } = await sinking.check()
  assert.equal(status, 1)
  assert.match(output, /problem: INSERT command denied/)
})

test('[R37] a database that hangs holds up neither the meter nor its end', async (t) => {
  const ground = new Ground(t)
  const database = await MariaDb.start(ground)
  await database.sql(CALLS_TABLE)
  const sinking = new Sinking(ground, database, CALLS_SINK)
  const meter = await sinking.serve()
  const wire = await Wire.open(meter)
  wire.call('1:alice', 1, COUNTS)
  await rows(database, 1)
  database.running.kill('SIGSTOP')
  for (let n = 2; n <= 300; n++) wire.call(`1:device${n}`, n, COUNTS)
  await until('all sessions', () => finalSessions(meter.data).length === 300)
  const began = performance.now()
  meter.running.kill('SIGTERM')
  assert.equal(await exitOf(meter.running, 10), 0)
  assert(performance.now() - began < 5000, `${performance.now() - began} ms`)
  database.running.kill('SIGCONT')
  const again = await sinking.serve(meter.port)
  assert.deepEqual(await rows(database, 300), finalSessions(again.data))
  wire.end()
})

test('TLS: with the right authority and name; a certificate of somebody else is refused', async (t) => {
  const ground = new Ground(t)
  const certificate = async (name: string, file: string) => {
    const words = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', `/CN=${name}`]
    const more = ['-addext', `subjectAltName=DNS:${name}`, '-keyout', `${file}.key`, '-out', `${file}.pem`]
    assert.equal(await exitOf(ground.start(find('openssl'), [...words, ...more])), 0)
    return join(ground.folder, file)
  }
  const right = await certificate('localhost', 'right')
  const other = await certificate('localhost', 'other')
  const settings = [`--ssl-cert=${right}.pem`, `--ssl-key=${right}.key`, '--require-secure-transport=on']
  const database = await MariaDb.start(ground, ...settings)
  await database.sql(CALLS_TABLE)
  const sinking = new Sinking(ground, database, CALLS_SINK)
  const base = sinking.url
  const local = (name: string) =>
    `${base.replace(/@[^@/]*\//, `@${name}/`)}?socket=${encodeURIComponent(database.socket)}`
  const check = async (url: string) => {
    sinking.url = url
    const { status, output } = await sinking.check()
    return `${status} ${output.split('\n')[0]}`
  }
  assert.match(await check(base), /^3 .*(denied|insecure)/)
  assert.match(await check(`${base}?ssl=unchecked`), /^0 table calls/)
  assert.match(await check(`${local('localhost')}&ca=${right}.pem`), /^0 table calls/)
  assert.match(await check(`${local('localhost')}&ca=${other}.pem`), /^3 .*certificate/)
  assert.match(await check(`${local('localhost')}&ssl=on`), /^3 .*self-signed/)
  assert.match(await check(`${local('db.example.org')}&ca=${right}.pem`), /^3 .*db\.example\.org/)
})
