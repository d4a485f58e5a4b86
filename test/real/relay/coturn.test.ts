/** coturn -> endpoint -> ledger, with the real coturn. What coturn's own log says is the measure. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Coturn, carriedBy, type Logged, readLog, startCall, startCoturn, startPeer } from '../coturn.ts'
import {
  type Account,
  fettle,
  type Meter,
  readAccounts,
  readGaps,
  readPosition,
  readRejected,
  startMeter,
  stopMeter,
} from '../fettle.ts'
import { exitOf, Ground, until } from '../harness.ts'

interface Scene {
  readonly ground: Ground
  readonly meter: Meter
  readonly coturn: Coturn
}

async function openScene(t: TestContext): Promise<Scene> {
  const ground = new Ground(t)
  const meter = await startMeter(ground)
  startPeer(ground)
  const coturn = await startCoturn(ground, meter.statsdb)
  await until('coturn connected', () => meter.running.output.includes('coturn turn1 connected'))
  return { ground, meter, coturn }
}

/** coturn 4.6.1 takes a name for a format string, so of `%%` it reports `%`; from 4.13 on it does not. */
const named = (username: string) => username.replace(/^\d+:/, '').replaceAll('%%', '%')

const deletedIn = (log: Map<string, Logged>) => Array.from(log).filter(([, session]) => session.deleted)

const closedIn = (meter: Meter) => readAccounts(meter.data).filter((account) => account.ended === 'deleted')

/** Waits until the ledger has closed as many allocations as coturn's log, then compares them, to the byte. */
async function assertClosesAgree(meter: Meter, logs: readonly Map<string, Logged>[]): Promise<Account[]> {
  const expected = logs.flatMap(deletedIn)
  const closed = await until(`${expected.length} closed allocations`, () => {
    const accounts = closedIn(meter)
    return accounts.length >= expected.length && accounts.every(({ quality }) => quality === 'exact') && accounts
  })
  const facts = (id: string, { username, client, peer }: Pick<Logged, 'username' | 'client' | 'peer'>) =>
    JSON.stringify({ id, username: named(username), client, peer })
  assert.deepEqual(
    closed.map((account) => facts(account.id, account)).sort(),
    expected.map(([id, session]) => facts(id, session)).sort(),
  )
  return closed
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0)

const bytesOf = (accounts: readonly Account[]) =>
  `client ${sum(accounts.map(({ client }) => client[1]))} received, ${sum(accounts.map(({ client }) => client[3]))} sent; ` +
  `peer ${sum(accounts.map(({ peer }) => peer[1]))} received, ${sum(accounts.map(({ peer }) => peer[3]))} sent`

const honest = [
  { user: 'alice', transport: 'udp', clients: 2, messages: 1500, bytes: 500 },
  { user: 'bob', transport: 'tcp', clients: 2, messages: 1200, bytes: 700 },
  { user: 'carol:tablet:100%%', transport: 'udp', clients: 1, messages: 700, bytes: 321 },
  { user: 'alice/allocation/000000000000000001', transport: 'tcp', clients: 1, messages: 300, bytes: 200 },
  { user: 'dave/user/alice', transport: 'udp', clients: 1, messages: 300, bytes: 250 },
] as const

/** The honest calls at once, all that they sent come back: what the network of a busy machine loses is in no count. */
async function carryAll(t: TestContext) {
  for (let tries = 1; ; tries++) {
    const scene = await openScene(t)
    const calls = honest.map((call) => ({ ...call, running: startCall(scene.ground, { ...call, intervalMs: 2 }) }))
    const lost: string[] = []
    for (const { user, clients, messages, running } of calls) {
      const { sentMessages, receivedMessages } = await carriedBy(running)
      assert.equal(sentMessages, clients * messages)
      if (receivedMessages < sentMessages) lost.push(`${sentMessages - receivedMessages} messages of ${user}`)
    }
    if (lost.length === 0) return scene
    assert.ok(tries < 3, `the network lost ${lost.join(', ')}`)
  }
}

test('[R1, R5, R6, R28] real calls at once: each closed allocation equals the log of coturn to the byte', async (t) => {
  const { meter, coturn } = await carryAll(t)
  const carrying = sum(honest.map(({ clients }) => clients))
  await until('the end of every call', () => {
    const done = deletedIn(readLog(coturn)).filter(([, { peer }]) => peer[0] > 0)
    return done.length >= carrying
  })
  const closed = await assertClosesAgree(meter, [readLog(coturn)])
  for (const { user, clients, messages: each, bytes } of honest) {
    const messages = clients * each
    const mine = closed.filter(({ username }) => named(username) === named(user))
    const total = [0, 1, 2, 3].map((k) => sum(mine.map(({ peer }) => peer[k]!)))
    assert.deepEqual(total, [messages, messages * bytes, messages, messages * bytes], user)
  }
  assert.equal(new Set(closed.map(({ session }) => session)).size, honest.length)
  const { status, ms } = await stopMeter(meter)
  assert.equal(status, 0)
  assert.ok(ms < 5000, `${ms} ms`)
  assert.deepEqual(closedIn(meter), closed)
  assert.deepEqual(readGaps(meter.data), [])
  t.diagnostic(`${closed.length} allocations equal; ${bytesOf(closed)}; stopped in ${ms} ms`)
})

test('[R10] what coturn reports of a wrong password is billed to nobody, least of all to whom it names', async (t) => {
  const { ground, meter, coturn } = await openScene(t)
  const call = startCall(ground, { user: 'alice', transport: 'tcp', messages: 4000, bytes: 200 })
  const victim = await until('the call of alice', () =>
    readAccounts(meter.data).find(({ session, ended }) => session !== null && ended === 'open'),
  )
  const forged = ['alice', `alice/allocation/${victim.id}`, `${victim.username}/allocation/${victim.id}`, 'mallory']
  for (const user of forged) {
    const attack = startCall(ground, { user, secret: 'wrong', transport: 'tcp', messages: 10, bytes: 100 })
    assert.notEqual(await exitOf(attack), 0)
  }
  const { sentMessages } = await carriedBy(call)
  const attacks = await until('reports of the attacks', () => {
    const reported = Array.from(readLog(coturn)).filter(([, session]) => !session.deleted && session.client[0] > 0)
    const known = new Set(reported.map(([, { username }]) => username.slice(username.indexOf(':') + 1)))
    return forged.every((user) => known.has(user)) && reported
  })
  await until('the close of the call', () => deletedIn(readLog(coturn)).some(([, { peer }]) => peer[0] > 0))
  const closed = await assertClosesAgree(meter, [readLog(coturn)])
  assert.deepEqual(
    closed.map(({ username }) => username),
    closed.map(() => victim.username),
  )
  assert.equal(sum(closed.map(({ peer }) => peer[3])), sentMessages * 200)
  const nobody = await until('the forged names held', () => {
    const held = readAccounts(meter.data).filter(({ session }) => session === null)
    return held.length >= attacks.length && held
  })
  assert.deepEqual(
    nobody.map(({ id, username, client }) => ({ id, username, client })).sort((a, b) => a.id.localeCompare(b.id)),
    attacks.map(([id, { username, client }]) => ({ id, username, client })).sort((a, b) => a.id.localeCompare(b.id)),
  )
  assert.deepEqual(readRejected(meter.data), [])
  const listed = fettle(ground, 'relay', 'sessions', '--data', meter.data, '--json')
  assert.equal(await exitOf(listed), 0)
  const { sessions } = JSON.parse(listed.output) as {
    sessions: { device: string; client: { receivedBytes: number } }[]
  }
  assert.deepEqual(
    sessions.map(({ device, client }) => [device, client.receivedBytes]),
    [['alice', sum(closed.map(({ client }) => client[1]))]],
  )
  t.diagnostic(`held for nobody: ${nobody.map(({ username, client }) => `${username} ${client[1]} B`).join(', ')}`)
})

test('[R3, R16] coturn killed and started again: the old calls end as restarted, reused ids are new accounts', async (t) => {
  const { ground, meter, coturn } = await openScene(t)
  const cut = startCall(ground, { user: 'alice', transport: 'tcp', messages: 60_000, bytes: 400 })
  await until('a report', () => readAccounts(meter.data).some(({ peer }) => peer[0] > 0))
  coturn.running.kill('SIGKILL')
  await exitOf(coturn.running)
  const before = readLog(coturn)
  cut.kill('SIGKILL')
  const again = await startCoturn(ground, meter.statsdb)
  const restarted = await until('the calls of the killed coturn ended', () => {
    const accounts = readAccounts(meter.data).filter(({ ended }) => ended === 'restarted')
    return accounts.length > 0 && accounts
  })
  assert.equal(restarted.length, 1)
  const { id, client, peer, quality, missingMax } = restarted[0]!
  assert.deepEqual({ client, peer }, { client: before.get(id)!.client, peer: before.get(id)!.peer })
  assert.equal(quality, 'lower_bound')
  // Each thread of coturn counts ids of its own, and which one takes a call is chance.
  let ends = 0
  do {
    const calls = ['alice', 'alice'].map((user) =>
      startCall(ground, { user, transport: 'tcp', clients: 2, messages: 300, bytes: 400 }),
    )
    for (const call of calls) await carriedBy(call)
    ends += 4
    await until(
      'the calls closed',
      () => deletedIn(readLog(again)).filter(([, { peer }]) => peer[0] > 0).length >= ends,
    )
  } while (ends < 40 && !deletedIn(readLog(again)).some(([closed]) => closed === id))
  const closed = await assertClosesAgree(meter, [before, readLog(again)])
  const after = closed.filter(({ boot }) => boot === 2)
  const reused = after.filter((account) => account.id === id)
  assert.equal(reused.length, 1, `${id} was not reused: ${after.map((account) => account.id)}`)
  assert.equal(sum(after.map(({ peer }) => peer[3])), ends * 300 * 400)
  assert.match(meter.running.output, /^coturn turn1 was restarted; what was open then has ended$/m)
  t.diagnostic(`${id} was cut at ${client[1]} B received (at most ${missingMax} packets more), and reused`)
})

test('[R17, R30] the meter killed in mid-call goes on from its last commit, and the closes are whole again', async (t) => {
  const { ground, meter, coturn } = await openScene(t)
  // Twice 1000 messages a second: a report of each allocation about every second.
  const long = startCall(ground, { user: 'alice', clients: 2, messages: 9000, bytes: 300 })
  await until('reports', () => readAccounts(meter.data).filter(({ peer }) => peer[0] > 0).length >= 2)
  meter.running.kill('SIGKILL')
  await exitOf(meter.running)
  const known = readPosition(meter.data)
  const reports = () => coturn.running.output.match(/ usage: /g)?.length ?? 0
  const reportsThen = reports()
  // Its `new` falls into the gap.
  const during = startCall(ground, { user: 'bob', clients: 1, messages: 4000, bytes: 300 })
  const opened = () => /: new, realm=<[^>]*>, username=<\d+:bob>/.test(coturn.running.output)
  await until('what nobody hears', () => reports() >= reportsThen + 8 && opened())
  const second = await startMeter(ground, 'meter', meter.port)
  assert.equal(second.statsdb, meter.statsdb)
  for (const call of [long, during]) await carriedBy(call)
  await until('the calls closed', () => deletedIn(readLog(coturn)).filter(([, { peer }]) => peer[0] > 0).length >= 3)
  const closed = await assertClosesAgree(second, [readLog(coturn)])
  assert.ok(readPosition(second.data) > known)
  const gaps = readGaps(second.data)
  assert.deepEqual(
    gaps.map(({ why }) => why),
    ['restart'],
  )
  const missed = closed.filter(({ unheardPackets }) => unheardPackets > 0)
  assert.ok(missed.length > 0, 'nothing fell into the gap: it was too short')
  const bob = closed.filter(({ username, peer }) => username.endsWith(':bob') && peer[0] > 0)
  assert.deepEqual(
    bob.map(({ startKnown }) => startKnown),
    [false],
  )
  const unheard = sum(missed.map(({ unheardPackets }) => unheardPackets))
  t.diagnostic(`gap of ${gaps[0]!.ms} ms; ${unheard} packets unheard and known again; ${bytesOf(closed)}`)
})

test('[R30] SIGTERM under load ends the meter with status 0 within 5 s, and what it heard is kept', async (t) => {
  const { ground, meter } = await openScene(t)
  startCall(ground, { user: 'alice', clients: 4, messages: 60_000, bytes: 400 })
  await until('a report', () => readAccounts(meter.data).some(({ peer }) => peer[0] > 0))
  const { status, ms } = await stopMeter(meter)
  assert.equal(status, 0, meter.running.output)
  assert.ok(ms < 5000, `${ms} ms`)
  assert.ok(readAccounts(meter.data).some(({ peer, ended }) => peer[0] > 0 && ended === 'open'))
  t.diagnostic(`${ms} ms`)
})

test('a second meter on the same folder, and a port in use: one line, status 3', async (t) => {
  const ground = new Ground(t)
  const meter = await startMeter(ground)
  const serve = (data: string, address: string) => fettle(ground, 'relay', 'serve', '--data', data, '--resp', address)
  const second = serve(meter.data, `${ground.address(1)}:0`)
  assert.equal(await exitOf(second), 3)
  assert.match(second.output, /^fettle: .*meter: another fettle is running on this folder\n$/)
  const other = serve(join(ground.folder, 'other'), `${ground.address(1)}:${meter.port}`)
  assert.equal(await exitOf(other), 3)
  assert.match(other.output, /^fettle: .*something else listens there already.*\n$/)
  // What another program listens on is no different.
  const foreign = createServer().listen(0, ground.address(2))
  t.after(() => foreign.close())
  await until('a foreign listener', () => foreign.listening)
  const { port } = foreign.address() as { port: number }
  const third = serve(join(ground.folder, 'third'), `${ground.address(2)}:${port}`)
  assert.equal(await exitOf(third), 3)
  assert.match(third.output, /^fettle: .*something else listens there already.*\n$/)
})

test('a data folder that cannot be used: one line that names it, status 3', async (t) => {
  const ground = new Ground(t)
  const at = (...names: string[]) => join(ground.folder, ...names)
  writeFileSync(at('file'), 'not a folder')
  mkdirSync(at('lock-is-folder', 'lock'), { recursive: true })
  mkdirSync(at('ledger-is-text'))
  writeFileSync(at('ledger-is-text', 'ledger.sqlite'), 'not a ledger, but long enough to be looked into'.repeat(99))
  mkdirSync(at('ledger-is-folder', 'ledger.sqlite'), { recursive: true })
  mkdirSync(at('servers-are-text'))
  writeFileSync(at('servers-are-text', 'servers.json'), 'not JSON')
  mkdirSync(at('servers-are-twins'))
  const twins = ['a', 'a'].map((name, i) => ({ name, token: `${i}`, version: null }))
  writeFileSync(at('servers-are-twins', 'servers.json'), JSON.stringify(twins))
  const folders = ['file', 'file/inside', 'lock-is-folder', 'ledger-is-text', 'ledger-is-folder']
  for (const name of [...folders, 'servers-are-text', 'servers-are-twins']) {
    const refused = fettle(ground, 'relay', 'serve', '--data', at(name), '--resp', `${ground.address(1)}:0`)
    assert.equal(await exitOf(refused), 3, `${name}: ${refused.output}`)
    assert.match(refused.output, /^fettle: [^\n]+\n$/, name)
    assert.ok(refused.output.includes(at(name)), refused.output)
    t.diagnostic(refused.output.trim().replaceAll(`${ground.folder}/`, ''))
  }
})
