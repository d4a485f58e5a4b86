/** The row sink while the database and the meter are killed: every finished session has its row, and none has two. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { Ground, until } from './harness.ts'
import { MariaDb } from './mariadb.ts'
import { CALLS_ROWS, CALLS_SINK, CALLS_TABLE, finalSessions, Sinking, type SinkMeter, Wire } from './sinking.ts'

const SESSIONS = 10_000
const KILLS = 100

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
  const calling = callAll(wire, 0, SESSIONS, 70)
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
  await until('all sessions', () => finals(meter).length === SESSIONS, 60)
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
  t.diagnostic(`${KILLS} kills in ${(killedMs / 1000).toFixed(1)} s; after ${amid} of them there were more rows`)
})
