/** coturn -> Redis -> the meter, which subscribes there: nothing is counted wrong, whatever becomes of that Redis. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { Ready, SessionPage } from '@fettle/relay/api'
import { type Coturn, carriedBy, readLog, startCall, startCoturn, startPeer } from '../coturn.ts'
import {
  type Account,
  ask as askMeter,
  type Counters,
  isHearing,
  type Meter,
  readAccounts,
  readGaps,
  startSubscriber,
} from '../fettle.ts'
import { exitOf, find, Ground, until } from '../harness.ts'
import { ask, type Message, publish, type Redis, startRedis } from '../redis.ts'

const urlOf = ({ host, port }: Redis) => `redis://${host}:${port}`
const statsdbOf = ({ host, port }: Redis) => `ip=${host} dbname=0 port=${port} connect_timeout=5`

/** Every allocation that coturn has closed is in the ledger as its log has it, to the byte. */
async function assertWhole(meter: Meter, coturn: Coturn): Promise<readonly Account[]> {
  const log = () => Array.from(readLog(coturn)).filter(([, one]) => one.deleted)
  const closed = await until('all closed allocations', () => {
    const found = readAccounts(meter.data).filter(({ ended }) => ended === 'deleted')
    return found.length === log().length && found.every(({ quality }) => quality === 'exact') && found
  })
  const facts = (id: string, client: Counters, peer: Counters) => JSON.stringify({ id, client, peer })
  assert.deepEqual(
    closed.map(({ id, client, peer }) => facts(id, client, peer)).sort(),
    log()
      .map(([id, { client, peer }]) => facts(id, client, peer))
      .sort(),
  )
  return closed
}

/** What somebody has pasted into notes. */
function pasted(name: string): Message[] {
  const file = new URL(`../../../packages/relay/test/recordings/${name}.txt`, import.meta.url)
  const lines = readFileSync(file, 'utf8').matchAll(/^([34])\) "(.*)"$/gm)
  const words = Array.from(lines, ([, , word]) => word!)
  return Array.from({ length: words.length / 2 }, (_, i) => ({ channel: words[i * 2]!, text: words[i * 2 + 1]! }))
}

const notes = [
  ['note-2018-call', '18152649', [5785, 5862284, 2407, 114451]],
  ['note-2018-stopped-by-button', '18152992', [4595, 4367095, 1549, 74756]],
] as const

test('[R33] the calls of 2018, published again, give what was worked out then', async (t) => {
  const ground = new Ground(t)
  const redis = await startRedis(ground)
  const meter = startSubscriber(ground, urlOf(redis), { username: '{expires}:{device}_{kind}_{client}_{account}' })
  await isHearing(meter)
  for (const [name] of notes) {
    const messages = pasted(name)
    assert.ok(messages.length > 10)
    await publish(redis, () => messages.shift())
  }
  const { sessions } = await until('both calls', async () => {
    const page = await askMeter<SessionPage>(meter, '/v1/sessions')
    return page.sessions.filter((one) => one.quality === 'exact').length >= 2 && page
  })
  for (const [name, account, counters] of notes) {
    const one = sessions.find((each) => each.account === account)!
    const { receivedPackets, receivedBytes, sentPackets, sentBytes } = one.client
    assert.deepEqual([receivedPackets, receivedBytes, sentPackets, sentBytes], counters, name)
    assert.deepEqual(one.labels, { kind: '21', client: '24' })
    assert.match(one.device, /^[0-9a-f]{32}$/)
  }
  assert.deepEqual(readGaps(meter.data), [])
})

test('[R33, R34] a coturn that reports to Redis; a second that starts there closes nothing; what runs is found', async (t) => {
  const ground = new Ground(t)
  const redis = await startRedis(ground)
  const first = startSubscriber(ground, urlOf(redis))
  await isHearing(first)
  startPeer(ground)
  const coturn = await startCoturn(ground, statsdbOf(redis))
  const whole = ['udp', 'tcp'].map((transport) =>
    carriedBy(
      startCall(ground, { user: transport, transport: transport as 'udp', clients: 3, messages: 2000, bytes: 500 }),
    ),
  )
  await Promise.all(whole)
  await until('the ends', () => Array.from(readLog(coturn).values()).filter((one) => one.deleted).length >= 9)
  const closed = await assertWhole(first, coturn)
  t.diagnostic(`${closed.length} allocations equal coturn's log`)

  const long = startCall(ground, { user: 'long', transport: 'tcp', clients: 2, messages: 14_000, bytes: 300 })
  const isLong = ({ username }: { readonly username: string }) => username.endsWith(':long')
  await until('its reports', () => readAccounts(first.data).some((one) => isLong(one) && one.peer[0] > 2000))
  const keys = () => ask(redis, ground, 'keys', 'turn/*/allocation/*/status')
  assert.ok((await keys()).length > 0)

  // The meter is killed and another takes up the folder: the calls were there before.
  first.running.kill('SIGKILL')
  await exitOf(first.running)
  const meter = startSubscriber(ground, urlOf(redis))
  await isHearing(meter)
  assert.match(meter.running.output, /[1-9]\d* allocations? open already at Redis/)
  assert.deepEqual(
    readGaps(meter.data).map(({ why }) => why),
    ['restart'],
  )

  await startCoturn(ground, statsdbOf(redis), 4)
  assert.deepEqual(await keys(), [], 'a coturn that starts deletes the keys of all')
  await wait(500)
  assert.ok(readAccounts(meter.data).filter((one) => isLong(one) && one.ended === 'open').length >= 2)
  await carriedBy(long)
  await until('the end of the long call', () => {
    return Array.from(readLog(coturn).values()).filter((one) => one.deleted && isLong(one)).length >= 2
  })
  const all = await assertWhole(meter, coturn)
  assert.ok(all.filter(isLong).every(({ startKnown }) => startKnown))
})

test('[R12, R34] a meter that starts beside running calls finds them by their keys', async (t) => {
  const ground = new Ground(t)
  const redis = await startRedis(ground)
  startPeer(ground)
  const coturn = await startCoturn(ground, statsdbOf(redis))
  const call = startCall(ground, { user: 'early', transport: 'tcp', clients: 2, messages: 6000, bytes: 300 })
  await until('the keys', async () => (await ask(redis, ground, 'keys', 'turn/*')).length >= 2)
  const meter = startSubscriber(ground, urlOf(redis))
  await isHearing(meter)
  const { sessions } = await until('the call', async () => {
    const page = await askMeter<SessionPage>(meter, '/v1/sessions?live=true')
    return page.sessions.length > 0 && page
  })
  const open = sessions.flatMap(({ allocations }) => allocations)
  assert.ok(open.every(({ startedAt, startedBefore }) => startedAt === null && startedBefore !== null))
  assert.ok(open.every(({ clientAddress }) => clientAddress?.startsWith(ground.address(5))))
  await carriedBy(call)
  // What coturn had closed before that is nobody's.
  const closed = await until('its end', () => {
    const found = readAccounts(meter.data)
    return found.every(({ ended, quality }) => ended === 'deleted' && quality === 'exact') && found
  })
  const log = readLog(coturn)
  for (const { id, client, peer, startKnown } of closed) {
    assert.deepEqual([client, peer, startKnown], [log.get(id)!.client, log.get(id)!.peer, false])
  }
  assert.equal(closed.length, open.length)
  t.diagnostic(`${open.length} found, ${closed.length} closed exactly`)
})

test('[R16, R33] that Redis is killed and started again in a call: a gap, and nothing wrong', async (t) => {
  const ground = new Ground(t)
  const redis = await startRedis(ground)
  const meter = startSubscriber(ground, urlOf(redis))
  await isHearing(meter)
  startPeer(ground)
  const coturn = await startCoturn(ground, statsdbOf(redis))
  const call = startCall(ground, { user: 'ann', transport: 'tcp', clients: 3, messages: 15_000, bytes: 300 })
  await until('its reports', () => readAccounts(meter.data).some(({ peer }) => peer[0] > 2000))
  redis.running.kill('SIGKILL')
  await exitOf(redis.running)
  await until('the loss told', () => meter.running.output.includes('is not heard'))
  await wait(3000)
  await startRedis(ground)
  await isHearing(meter, 2)
  await carriedBy(call)
  await until('the end', () => Array.from(readLog(coturn).values()).filter((one) => one.deleted).length >= 3)
  await wait(1000)
  const gaps = readGaps(meter.data)
  assert.deepEqual(
    gaps.map(({ why }) => why),
    ['connection'],
  )
  assert.ok(gaps[0]!.ms >= 3000 && gaps[0]!.ms < 20_000, `${gaps[0]!.ms}`)
  const log = readLog(coturn)
  const qualities: string[] = []
  for (const { id, quality, client, peer, missingMax, unheardPackets } of readAccounts(meter.data)) {
    const true_ = log.get(id)
    if (true_ === undefined) continue
    qualities.push(`${quality ?? 'open'} (unheard ${unheardPackets})`)
    if (quality === 'exact') assert.deepEqual([client, peer], [true_.client, true_.peer])
    else {
      assert.equal(missingMax, null)
      assert.ok(client.every((count, k) => count <= true_.client[k]!))
      assert.ok(peer.every((count, k) => count <= true_.peer[k]!))
    }
  }
  assert.ok(qualities.length >= 3)
  t.diagnostic(`gap of ${gaps[0]!.ms} ms; ${qualities.join(', ')}`)
})

test('[R33, R35] TLS, a user with few rights, a wrong password', async (t) => {
  const ground = new Ground(t)
  const [key, certificate] = ['key.pem', 'certificate.pem'].map((name) => join(ground.folder, name)) as [string, string]
  const made = ground.start(find('openssl'), [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
    ...['-subj', '/CN=redis', '-addext', `subjectAltName=IP:${ground.address(7)}`, '-keyout', key, '-out', certificate],
  ])
  assert.equal(await exitOf(made), 0, made.output)
  const tls = ['--port', '0', '--tls-port', '6379', '--tls-cert-file', certificate, '--tls-key-file', key]
  const rights = 'meter on >first resetchannels &turn/* ~turn/* +psubscribe +ping +scan +get'
  const redis = await startRedis(ground, ...tls, '--tls-auth-clients', 'no', '--user', ...rights.split(' '))
  const admin = ['--tls', '--cacert', certificate]
  process.env.NODE_EXTRA_CA_CERTS = certificate
  t.after(() => {
    delete process.env.NODE_EXTRA_CA_CERTS
  })
  const status = 'refreshed lifetime=600'
  await ask(redis, ground, ...admin, 'set', 'turn/user/1:bob/allocation/000000000000000009/status', status)
  const meter = startSubscriber(ground, `rediss://meter:second@${redis.host}:${redis.port}`)
  await until('the refusal', () => meter.running.output.includes('AUTH was refused: WRONGPASS'))
  assert.doesNotMatch(meter.running.output, /second/)
  await until('the finding', async () => {
    const { findings } = await askMeter<Ready>(meter, '/readyz')
    const gone = findings.find(({ code }) => code === 'redis-gone')
    return /^The Redis "127\.\S+:6379" is not heard: AUTH was refused: WRONGPASS\. /.test(gone?.text ?? '')
  })
  await ask(redis, ground, ...admin, 'acl', 'setuser', 'meter', '>second')
  await isHearing(meter)
  assert.match(meter.running.output, /\n1 allocation open already at Redis/)
  assert.match(meter.running.output, /its settings cannot be looked at: CONFIG GET is refused/)
  const channel = 'turn/realm/r/user/1:ann/allocation/000000000000000001'
  await ask(redis, ground, ...admin, 'publish', `${channel}/status`, 'new lifetime=600')
  await until('the event', () => readAccounts(meter.data).some(({ username }) => username === '1:ann'))
  await until('the finding gone', async () => {
    const { servers, findings } = await askMeter<Ready>(meter, '/readyz')
    return servers.every(({ kind, connected }) => kind === 'redis' && connected) && findings.length === 0
  })
  redis.running.kill('SIGKILL')
  await until(
    'the loss told',
    () => meter.running.output.split('open already at Redis')[1]?.includes('is not heard'),
    3,
  )
})
