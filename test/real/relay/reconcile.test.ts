/** What a meter that was killed has missed, made whole from coturn's log. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { carriedBy, type Logged, readLog, startCall, startCoturn, startPeer } from '../coturn.ts'
import { type Account, fettle, isClosed, readAccounts, readGaps, startMeter, stopMeter } from '../fettle.ts'
import { exitOf, Ground, until } from '../harness.ts'

const OUTAGE_MS = 62_000

interface Told {
  readonly equal: number
  readonly differences: readonly { readonly verdict: string }[]
  readonly applied: { readonly whole: number; readonly added: number; readonly left: number } | null
}

test('[R46, R47, R48, R49] a meter killed for a minute: every closed record is made whole from the log', async (t) => {
  const ground = new Ground(t)
  const meter = await startMeter(ground)
  startPeer(ground)
  const coturn = await startCoturn(ground, meter.statsdb, 3, ['--new-log-timestamp'])
  await until('coturn connected', () => meter.running.output.includes('coturn turn1 connected'))
  const log = join(ground.folder, 'turnserver.log')
  const reconcile = async (data: string, ...flags: string[]) => {
    writeFileSync(log, coturn.running.output)
    const run = fettle(ground, 'relay', 'reconcile', '--data', data, ...flags, '--json', log)
    const status = await exitOf(run, 60)
    assert.equal(run.complaints, '')
    return { status, told: JSON.parse(run.output) as Told }
  }
  const isLogged = (user: string, what: string) =>
    new RegExp(`session \\d+: ${what}.*username=<\\d+:${user}>`).test(coturn.running.output)

  // Before the outage, through it, into it, wholly in it, out of it.
  await carriedBy(startCall(ground, { user: 'before', messages: 600, bytes: 300 }))
  const through = startCall(ground, { user: 'through', messages: 40_000, bytes: 200, intervalMs: 2, transport: 'tcp' })
  const into = startCall(ground, { user: 'into', messages: 3000, bytes: 300, intervalMs: 2, clients: 2 })
  await until('reports', () => ['through', 'into'].every((user) => isLogged(user, 'usage')))
  await until('them stored', () => readAccounts(meter.data).filter(({ peer }) => peer[0] > 0).length >= 3)
  meter.running.kill('SIGKILL')
  await exitOf(meter.running)
  const killedAt = performance.now()
  await carriedBy(into)
  await carriedBy(startCall(ground, { user: 'inside', messages: 2500, bytes: 250, clients: 2 }))
  await wait(OUTAGE_MS - 8000 - (performance.now() - killedAt))
  const outOf = startCall(ground, { user: 'outof', messages: 6000, bytes: 350, intervalMs: 2 })
  await until('its start', () => isLogged('outof', 'new'))
  await wait(OUTAGE_MS - (performance.now() - killedAt))
  const second = await startMeter(ground, 'meter', meter.port)
  await carriedBy(outOf)
  through.kill('SIGINT')
  await exitOf(through)
  await until('all carriers closed', () => carriersOf(readLog(coturn)).length >= 6)
  await until('the last of them stored', () =>
    closedIn(second.data).some((one) => one.username.endsWith(':outof') && isClosed(one)),
  )

  const [gap] = readGaps(second.data)
  const missing = carriersOf(readLog(coturn)).length - closedIn(second.data).length
  assert.ok(missing >= 4, `${missing} missing`)
  // What was closed less than a minute ago may be on its way still.
  const ready = async () => (await reconcile(second.data)).told.differences.filter(({ verdict }) => verdict === 'adds')
  await until('both calls of inside to be added', async () => (await ready()).length === 2, 60)
  const { status, told } = await reconcile(second.data)
  assert.equal(status, 1)
  assert.equal(told.applied, null)
  assert.equal(carriersOf(readLog(coturn)).length - closedIn(second.data).length, missing, 'nothing is changed yet')

  const { told: done } = await reconcile(second.data, '--apply')
  assert.equal(done.applied!.left, 0)
  assertAgree(second.data, readLog(coturn))
  const { told: again } = await reconcile(second.data, '--apply')
  assert.deepEqual(again.applied, { whole: 0, added: 0, left: 0 })
  assert.deepEqual(
    again.differences.filter(({ verdict }) => verdict !== 'not over'),
    [],
  )
  assert.equal((await stopMeter(second)).status, 0)
  const { told: offline } = await reconcile(second.data, '--apply')
  assert.deepEqual([offline.applied, offline.equal], [{ whole: 0, added: 0, left: 0 }, again.equal])
  t.diagnostic(`gap of ${gap!.ms} ms: ${JSON.stringify(done.applied)}, then ${again.equal} equal`)
})

const carriersOf = (log: Map<string, Logged>) => Array.from(log).filter(([, one]) => one.deleted && one.peer[0] > 0)

const closedIn = (data: string) => readAccounts(data).filter(({ ended, peer }) => ended === 'deleted' && peer[0] > 0)

/** Everything that coturn's log has closed is closed here, whole, and has the same numbers. */
function assertAgree(data: string, log: Map<string, Logged>): void {
  const facts = (id: string, { username, client, peer }: Pick<Account, 'username' | 'client' | 'peer'>) =>
    JSON.stringify({ id, username, client, peer })
  const closed = readAccounts(data).filter(({ ended }) => ended === 'deleted')
  assert.deepEqual(
    closed.map((one) => facts(one.id, one)).sort(),
    Array.from(log)
      .filter(([, one]) => one.deleted)
      .map(([id, one]) => facts(id, one))
      .sort(),
  )
  assert.deepEqual(
    closed.filter(({ quality, startKnown }) => quality === 'lower_bound' || !startKnown),
    [],
  )
}
