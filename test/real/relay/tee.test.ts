/** coturn -> meter -> the Redis where coturn reported before: those who subscribe there lose nothing, and harm nobody. */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import {
  DEFAULT_TEMPLATE,
  openSqlite,
  type RespNotice,
  type RespOptions,
  readTemplate,
  respSource,
  startMeter,
  systemClock,
} from '@fettle/relay'
import { type Call, type Coturn, carriedBy, readLog, startCall, startCoturn, startPeer } from '../coturn.ts'
import { type Counters, readAccounts, readGaps, readPosition } from '../fettle.ts'
import { exitOf, find, Ground, until } from '../harness.ts'
import { ask, type Message, type Redis, startRedis, subscribe } from '../redis.ts'

type Target = NonNullable<RespOptions['forward']>

interface Meter {
  /** The data folder. */
  readonly data: string
  readonly statsdb: string
  readonly notices: readonly RespNotice[]
  forward(): { readonly connected: boolean; readonly passed: number; readonly dropped: number }
}

/** A meter in this process, which passes on to that Redis. */
async function startForwarding(
  t: TestContext,
  ground: Ground,
  redis: Redis,
  more: Partial<Target> = {},
): Promise<Meter> {
  const template = readTemplate(DEFAULT_TEMPLATE)
  if ('problem' in template) throw new Error(template.problem)
  const data = join(ground.folder, 'meter')
  mkdirSync(data)
  const notices: RespNotice[] = []
  const clock = systemClock()
  const host = ground.address(1)
  const none = { tls: false, username: null, password: null, database: null }
  const source = respSource({
    host,
    port: 0,
    servers: [{ name: 'turn1', token: 'tok1', version: null }],
    now: clock.now,
    on: (notice) => notices.push(notice),
    forward: { host: redis.host, port: redis.port, ...none, ...more },
  })
  const store = await openSqlite({ file: join(data, 'ledger.sqlite'), template, lingerMs: 30_000 })
  const meter = await startMeter({ source, store, clock })
  t.after(() => meter.stop())
  const port = notices.flatMap((notice) => (notice.kind === 'listening' ? [notice.port] : []))[0]!
  return {
    data,
    statsdb: `ip=${host} port=${port} password=tok1 connect_timeout=5`,
    notices,
    forward: () => source.status().forward!,
  }
}

const isOf = (user: string, { username }: { readonly username: string }) => username.endsWith(`:${user}`)

/** A call that coturn carries to its end and closes. */
async function call(ground: Ground, coturn: Coturn, one: Call): Promise<void> {
  const closed = () =>
    Array.from(readLog(coturn).values()).filter((each) => each.deleted && isOf(one.user, each)).length
  // On a busy machine UDP loses some on the way; what coturn has moved stands in its log.
  const { receivedMessages } = await carriedBy(startCall(ground, one))
  assert.ok(receivedMessages > 0)
  await until('the end of the call', () => closed() >= (one.clients ?? 1))
}

type Totals = Map<string, { client?: Counters; peer?: Counters }>

/** The totals that a subscriber has heard, by path. */
function totalsIn(messages: readonly Message[]): Totals {
  const totals: Totals = new Map()
  for (const { channel, text } of messages) {
    const [, path, side] = /^(.*)\/total_traffic(\/peer)?$/.exec(channel) ?? []
    if (path === undefined) continue
    const counters = text.match(/\d+/g)!.map(Number) as unknown as Counters
    totals.set(path, { ...totals.get(path), [side === undefined ? 'client' : 'peer']: counters })
  }
  return totals
}

const pathOf = ({ username, id }: { username: string; id: string }) =>
  `turn/realm/example.org/user/${username}/allocation/${id}`

/** Every allocation that coturn has closed is in the ledger as its log has it, to the byte; returns them. */
async function assertLedgerWhole(meter: Meter, coturn: Coturn) {
  const log = () => Array.from(readLog(coturn)).filter(([, one]) => one.deleted)
  const closed = await until('all closed allocations', () => {
    const accounts = readAccounts(meter.data).filter(
      ({ ended, boot }) => ended === 'deleted' && boot === lastBoot(meter),
    )
    return accounts.length === log().length && accounts.every(({ quality }) => quality === 'exact') && accounts
  })
  const facts = (id: string, client: unknown, peer: unknown) => JSON.stringify({ id, client, peer })
  assert.deepEqual(
    closed.map(({ id, client, peer }) => facts(id, client, peer)).sort(),
    log()
      .map(([id, { client, peer }]) => facts(id, client, peer))
      .sort(),
  )
  return closed
}

const lastBoot = (meter: Meter) => Math.max(...readAccounts(meter.data).map(({ boot }) => boot))

const statusKeys = async (redis: Redis, ground: Ground) => (await ask(redis, ground, 'keys', 'turn/*')).sort()

test('a subscriber of that Redis hears every event that the ledger counts, and finds the same keys', async (t) => {
  const ground = new Ground(t)
  const redis = await startRedis(ground)
  const heard = await subscribe(redis, ground)
  const meter = await startForwarding(t, ground, redis)
  startPeer(ground)
  const coturn = await startCoturn(ground, meter.statsdb)
  const calls = [
    { user: 'alice', transport: 'udp', clients: 2, messages: 1500, bytes: 500 },
    { user: 'bob', transport: 'tcp', clients: 3, messages: 1200, bytes: 700 },
  ] as const
  await Promise.all(calls.map((one) => call(ground, coturn, one)))
  const closed = await assertLedgerWhole(meter, coturn)
  const messages = await until('every event', () => {
    const found = heard()
    return found.length >= readPosition(meter.data) && found
  })
  assert.equal(messages.length, readPosition(meter.data))
  const totals = totalsIn(messages)
  for (const account of closed) {
    assert.deepEqual(totals.get(pathOf(account)), { client: account.client, peer: account.peer })
  }
  assert.equal(totals.size, closed.length)
  // Each in its order.
  for (const account of closed) {
    const mine = messages.filter(({ channel }) => channel.startsWith(`${pathOf(account)}/`))
    assert.match(mine[0]!.text, /^new lifetime=/)
    assert.deepEqual(
      mine
        .slice(-3)
        .map(({ channel, text }) => (channel.endsWith('/status') ? text : channel.slice(pathOf(account).length))),
      ['deleted', '/total_traffic', '/total_traffic/peer'],
    )
  }
  const open = readAccounts(meter.data).filter(({ ended, session }) => ended === 'open' && session !== null)
  assert.deepEqual(await statusKeys(redis, ground), open.map((account) => `${pathOf(account)}/status`).sort())
  assert.deepEqual(readGaps(meter.data), [])
  const { connected, passed, dropped } = meter.forward()
  assert.deepEqual({ connected, dropped }, { connected: true, dropped: 0 })
  t.diagnostic(
    `${messages.length} events and ${passed} commands passed on; ${closed.length} closed, ${open.length} open`,
  )
})

test('that Redis stands still for 20 s: coturn and the meter go on, what is too much is dropped and counted', async (t) => {
  const ground = new Ground(t)
  const redis = await startRedis(ground)
  const heard = await subscribe(redis, ground)
  const meter = await startForwarding(t, ground, redis)
  startPeer(ground)
  const coturn = await startCoturn(ground, meter.statsdb)
  await call(ground, coturn, { user: 'before', transport: 'tcp', clients: 2, messages: 100, bytes: 200 })
  const long = startCall(ground, { user: 'long', transport: 'tcp', clients: 2, messages: 15_000, bytes: 200 })
  redis.running.kill('SIGSTOP')
  const stopped = performance.now()
  let rounds = 0
  // Long names, many short calls: more than a megabyte of commands on a connection.
  for (; meter.forward().dropped === 0; rounds++) {
    assert.ok(rounds < 20, 'nothing was dropped')
    const crowd = Array.from({ length: 4 }, (_, i) => ({
      user: `crowd${rounds}-${i}-${'x'.repeat(180)}`,
      transport: 'tcp' as const,
      clients: 20,
      messages: 2,
      bytes: 50,
    }))
    await Promise.all(crowd.map((one) => call(ground, coturn, one)))
  }
  await wait(Math.max(0, stopped + 20_000 - performance.now()))
  const stood = Math.round(performance.now() - stopped)
  await call(ground, coturn, { user: 'meanwhile', transport: 'tcp', clients: 2, messages: 100, bytes: 200 })
  redis.running.kill('SIGCONT')
  const { passed } = meter.forward()
  await until('Redis again', () => meter.forward().passed > passed)
  await carriedBy(long)
  await call(ground, coturn, { user: 'after', transport: 'tcp', clients: 4, messages: 3000, bytes: 200 })
  await until('the end of the long call', () => {
    return Array.from(readLog(coturn).values()).filter((one) => one.deleted && isOf('long', one)).length >= 2
  })
  const closed = await assertLedgerWhole(meter, coturn)
  assert.deepEqual(readGaps(meter.data), [])
  const after = closed.filter((account) => isOf('after', account))
  assert.ok(after.length >= 4)
  await until('the totals of the last call', () => {
    const totals = totalsIn(heard())
    return after.every((account) => totals.get(pathOf(account))?.peer !== undefined)
  })
  const totals = totalsIn(heard())
  for (const account of after) {
    assert.deepEqual(totals.get(pathOf(account)), { client: account.client, peer: account.peer })
  }
  const { dropped } = meter.forward()
  const missed = readPosition(meter.data) - heard().length
  assert.ok(missed > 0 && missed <= dropped, `${missed} events missed, ${dropped} commands dropped`)
  assert.deepEqual(
    meter.notices.filter(({ kind }) => kind === 'gap' || kind === 'forward'),
    [],
  )
  t.diagnostic(`stood still for ${stood} ms; ${rounds} crowds; ${dropped} commands dropped, ${missed} events of them`)
  t.diagnostic(`${closed.length} allocations exact`)
})

test('that Redis is killed and started again; a coturn that starts again has its old keys deleted there', async (t) => {
  const ground = new Ground(t)
  const first = await startRedis(ground)
  const meter = await startForwarding(t, ground, first)
  startPeer(ground)
  const coturn = await startCoturn(ground, meter.statsdb)
  await call(ground, coturn, { user: 'before', transport: 'tcp', clients: 2, messages: 100, bytes: 200 })
  first.running.kill('SIGKILL')
  await exitOf(first.running)
  await call(ground, coturn, { user: 'meanwhile', transport: 'tcp', clients: 4, messages: 100, bytes: 200 })
  await until('a word about it', () => meter.notices.some(({ kind }) => kind === 'forward'))
  assert.deepEqual(
    meter.notices.filter(({ kind }) => kind === 'forward'),
    [{ kind: 'forward', why: 'cannot connect: ECONNREFUSED' }],
  )
  assert.equal(meter.forward().connected, false)
  assert.ok(meter.forward().dropped > 0)
  const redis = await startRedis(ground)
  const heard = await subscribe(redis, ground)
  await until('the connection again', () => meter.forward().connected)
  // With UDP each client leaves a second allocation open.
  await call(ground, coturn, { user: 'after', transport: 'udp', clients: 2, messages: 3000, bytes: 200 })
  const closed = await assertLedgerWhole(meter, coturn)
  await until('the totals of the call', () => {
    const totals = totalsIn(heard())
    return closed.filter((one) => isOf('after', one)).every((one) => totals.get(pathOf(one))?.peer !== undefined)
  })
  assert.deepEqual(readGaps(meter.data), [])

  const left = await statusKeys(redis, ground)
  assert.ok(left.length > 0, 'nothing was left open')
  await ask(redis, ground, 'set', 'other', 'of somebody else')
  coturn.running.kill('SIGKILL')
  await exitOf(coturn.running)
  assert.deepEqual(await statusKeys(redis, ground), left)
  const second = await startCoturn(ground, meter.statsdb)
  await until('the keys gone', async () => (await statusKeys(redis, ground)).length === 0)
  assert.deepEqual(await ask(redis, ground, 'keys', '*'), ['other'])
  await call(ground, second, { user: 'again', transport: 'tcp', clients: 2, messages: 100, bytes: 200 })
  await assertLedgerWhole(meter, second)
  t.diagnostic(`${left.length} keys were left and deleted; ${JSON.stringify(meter.forward())}`)
})

test('with TLS, a user, a password and a database; an unknown certificate and a wrong password are told', async (t) => {
  const ground = new Ground(t)
  const [key, certificate] = ['key.pem', 'certificate.pem'].map((name) => join(ground.folder, name)) as [string, string]
  const made = ground.start(find('openssl'), [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
    ...['-subj', '/CN=redis', '-addext', `subjectAltName=IP:${ground.address(7)}`, '-keyout', key, '-out', certificate],
  ])
  assert.equal(await exitOf(made), 0, made.output)
  const tls = ['--port', '0', '--tls-port', '6379', '--tls-cert-file', certificate, '--tls-key-file', key]
  // Any key: coturn's DEL names an empty one too. The PING at the start is refused, which is no harm.
  const rights = 'tee on >first resetchannels &turn/* &__XXX__ ~* +auth +select +keys +set +del +publish'
  const redis = await startRedis(ground, ...tls, '--tls-auth-clients', 'no', '--user', ...rights.split(' '))
  const admin = ['--tls', '--cacert', certificate]
  const heard = await subscribe(redis, ground, ...admin)
  const login = { tls: true, username: 'tee', password: 'second', database: 3 }
  const meter = await startForwarding(t, ground, redis, login)
  const whys = () => meter.notices.flatMap((notice) => (notice.kind === 'forward' ? [notice.why] : []))
  startPeer(ground)
  const coturn = await startCoturn(ground, meter.statsdb)
  await until('the certificate refused', () => whys().length === 1)
  assert.deepEqual(whys(), ['cannot connect: DEPTH_ZERO_SELF_SIGNED_CERT'])
  setDefaultCACertificates([...getCACertificates(), readFileSync(certificate, 'utf8')])
  await until('the password refused', () => whys().length === 2)
  assert.deepEqual(whys()[1], 'AUTH was refused: WRONGPASS')
  await ask(redis, ground, ...admin, 'acl', 'setuser', 'tee', '>second')
  await until('the connection', () => meter.forward().connected)
  await call(ground, coturn, { user: 'alice', transport: 'udp', clients: 2, messages: 100, bytes: 200 })
  const closed = await assertLedgerWhole(meter, coturn)
  await until('the totals', () => closed.every((one) => totalsIn(heard()).get(pathOf(one))?.peer !== undefined))
  const keys = await ask(redis, ground, ...admin, '-n', '3', 'keys', '*')
  const open = readAccounts(meter.data).filter(({ ended, session }) => ended === 'open' && session !== null)
  assert.deepEqual(keys.sort(), open.map((account) => `${pathOf(account)}/status`).sort())
  assert.equal(whys().length, 2)
})
