/** Two coturns with a line of their own at one meter: the same ids on both, one restarted, one killed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Servers, SessionPage } from '@fettle/relay/api'
import { type Coturn, carriedBy, readLog, startCall, startCoturn, startPeer } from '../coturn.ts'
import { ask, fettle, isClosed, readAccounts, startMeter } from '../fettle.ts'
import { exitOf, Ground, type Running, until } from '../harness.ts'

test('[R3, R13, R28] two coturns, one restarted and one killed: ends and qualities are right, nothing is merged', async (t) => {
  const ground = new Ground(t)
  const meter = await startMeter(ground)
  const added = fettle(ground, 'relay', 'server', 'add', 'turn2', '--data', meter.data)
  assert.equal(await exitOf(added), 0, added.output)
  const second = /^redis-statsdb="(.*)"$/m.exec(added.output)![1]!
  assert.notEqual(second, meter.statsdb)
  await until('the new server', () => meter.running.output.includes('servers now: turn1, turn2'))
  startPeer(ground)
  const statsdb = { turn1: meter.statsdb, turn2: second }
  const host = { turn1: 3, turn2: 4 }
  const start = (name: 'turn1' | 'turn2') => startCoturn(ground, statsdb[name], host[name])
  const coturns: Coturn[] = [await start('turn1'), await start('turn2')]
  const connected = async () => {
    const { servers } = await ask<Servers>(meter, '/v1/servers')
    return servers.filter((one) => one.connected).map(({ name }) => name)
  }
  await until('both connected', async () => (await connected()).length === 2)

  const call = (user: string, name: 'turn1' | 'turn2', messages: number) =>
    startCall(ground, { user, transport: 'tcp', clients: 2, messages, bytes: 300, host: host[name] })
  const long = async (user: string, name: 'turn1' | 'turn2'): Promise<Running> => {
    const running = call(user, name, 60_000)
    await until(`reports of ${user}`, () =>
      readAccounts(meter.data).some((one) => one.username.endsWith(`:${user}`) && one.peer[0] > 2000),
    )
    return running
  }
  const closed = () => readAccounts(meter.data).filter((one) => /:(anna|ben)$/.test(one.username) && isClosed(one))
  // Whole calls on both, at once: their ids are the same.
  await Promise.all([carriedBy(call('anna', 'turn1', 500)), carriedBy(call('ben', 'turn2', 500))])
  await until('their ends', () => closed().length >= 8)
  // A call on each while turn1 is restarted as an operator does it, and turn2 killed.
  const calls = [await long('carl', 'turn1'), await long('dora', 'turn2')]
  coturns[0]!.running.kill('SIGTERM')
  coturns[1]!.running.kill('SIGKILL')
  for (const one of [...coturns.map(({ running }) => running)]) await one.ended
  for (const one of calls) one.kill('SIGKILL')
  const again = [await start('turn1'), await start('turn2')]
  await until('both connected again', async () => (await connected()).length === 2)
  await Promise.all([carriedBy(call('anna', 'turn1', 400)), carriedBy(call('ben', 'turn2', 400))])
  await until('the last ends', () => closed().length >= 16)

  const { sessions } = await ask<SessionPage>(meter, '/v1/sessions?limit=1000')
  const of = (device: string) => sessions.filter((one) => one.device === device)
  for (const [device, server] of [
    ['anna', 'turn1'],
    ['ben', 'turn2'],
    ['carl', 'turn1'],
    ['dora', 'turn2'],
  ] as const) {
    const boots = new Set(of(device).flatMap(({ allocations }) => allocations.map(({ boot }) => boot)))
    assert.deepEqual(new Set(of(device).flatMap(({ servers }) => servers)), new Set([server]), device)
    assert.equal(boots.size, device === 'anna' || device === 'ben' ? 2 : 1, device)
  }
  // turn2 said nothing when it was killed; turn1 has closed its allocations on SIGTERM or was cut off like it.
  for (const { end, quality, missing } of of('dora')) {
    assert.deepEqual([end, quality], ['restarted', 'lower_bound'])
    assert.ok(missing.packets === null || missing.packets < 2 * 4 * 4096)
  }
  for (const { end, quality } of of('carl')) {
    assert.ok(
      (end === 'restarted' && quality === 'lower_bound') || (end === 'deleted' && quality === 'exact'),
      `${end} ${quality}`,
    )
  }
  // The same ids on both servers and in both boots, each with its own counters.
  const logs = { turn1: [coturns[0]!, again[0]!], turn2: [coturns[1]!, again[1]!] }
  let compared = 0
  for (const device of ['anna', 'ben']) {
    for (const { id, server, boot, client, peer } of of(device).flatMap((one) => one.allocations)) {
      const logged = readLog(logs[server as 'turn1' | 'turn2'][boot! - 1]!).get(id)!
      const counts = [client, peer].map((one) => [
        one!.receivedPackets,
        one!.receivedBytes,
        one!.sentPackets,
        one!.sentBytes,
      ])
      assert.deepEqual(counts, [logged.client, logged.peer], `${server} boot ${boot} ${id}`)
      compared++
    }
  }
  const ids = of('anna').flatMap((one) => one.allocations.map(({ id }) => id))
  assert.ok(
    of('ben').some((one) => one.allocations.some(({ id }) => ids.includes(id))),
    'no id was used twice: nothing is shown',
  )
  t.diagnostic(
    `${compared} allocations of two servers and two boots equal the logs; carl: ${of('carl')[0]!.end}, dora: ${of('dora')[0]!.end}`,
  )
})
