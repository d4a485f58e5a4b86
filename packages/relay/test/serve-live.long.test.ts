import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { LiveChange, LiveSession, LiveSnapshot } from '../src/serve/contract.ts'
import { LiveView } from '../src/serve/live-view.ts'
import { schemas } from '../src/serve/schemas.ts'
import { Rig, statusAt, TOKEN } from './api-rig.ts'
import { Follower, type Message } from './serve-follower.ts'

interface Ending {
  after(hook: () => unknown): void
}

function snapshotOf({ event, id, data }: Message): LiveSnapshot {
  assert.equal(event, 'snapshot')
  const snapshot = schemas.LiveSnapshot.parse(JSON.parse(data))
  assert.equal(snapshot.commit, id)
  return snapshot
}

function changeOf({ event, id, data }: Message): LiveChange {
  assert.equal(event, 'change')
  const change = schemas.LiveChange.parse(JSON.parse(data))
  assert.equal(change.commit, id)
  return change
}

const names = (sessions: readonly LiveSession[]) => sessions.map(({ device }) => device)

test('a client gets a snapshot and then what changes, numbered by commits', async (context) => {
  const rig = new Rig(context)
  rig.call('1:done', 1)
  const alice = rig.open('1:alice')
  rig.commit()
  const follower = await Follower.on(`${await rig.serve(context)}/v1/live`, context)
  const snapshot = snapshotOf(await follower.next())
  assert.equal(snapshot.commit, 1)
  assert.deepEqual(names(snapshot.sessions), ['alice', 'done'])
  assert.deepEqual([snapshot.totals.sessions, snapshot.totals.allocations], [1, 1])
  // The minute of the call that is over: 2,000,003 bytes.
  assert.deepEqual(
    snapshot.chart.received,
    Array.from({ length: 12 }, () => 267_000),
  )
  rig.pass(10_000)
  rig.report(alice, [3000, 3_000_000, 1096, 500_000])
  rig.commit()
  const change = changeOf(await follower.next())
  assert.equal(change.commit, 2)
  assert.deepEqual(names(change.sessions), ['alice'])
  assert.equal(change.sessions[0]!.client.receivedBytes, 3_000_000)
  // 3,000,000 bytes in 10 s.
  assert.equal(change.sessions[0]!.rates.receivedBitsPerSecond, 2_400_000)
  assert.equal(change.sessions[0]!.rates.sentBitsPerSecond, 400_000)
  assert.deepEqual(change.totals.rates, change.sessions[0]!.rates)
  // Both times of 5 s that are over since the start, at the rate of the report that came at their end.
  assert.deepEqual(
    [change.chart!.received, change.chart!.sent],
    [
      [2.4e6, 2.4e6],
      [4e5, 4e5],
    ],
  )
  rig.pass(1000)
  rig.close(alice, [3001, 3_000_100, 1097, 500_100])
  rig.open('1:bob')
  rig.commit()
  const after = changeOf(await follower.next())
  assert.deepEqual(after.sessions.map(({ device, state }) => `${device} ${state}`).sort(), ['alice ended', 'bob open'])
  assert.deepEqual(after.gone, [])
  assert.deepEqual([after.totals.sessions, after.totals.allocations], [1, 1])
})

test('what a client has put together from changes is what another gets as its snapshot', async (context) => {
  const rig = new Rig(context)
  const address = `${await rig.serve(context)}/v1/live`
  const paths = Array.from({ length: 8 }, (_, i) => rig.open(`1:d${i}`))
  rig.commit()
  const follower = await Follower.on(address, context)
  const sessions = new Map(snapshotOf(await follower.next()).sessions.map((one) => [one.id, one]))
  for (let round = 0; round < 70; round++) {
    rig.pass(1000 + round * 977)
    const at = (round * 5) % 8
    if (round % 3 === 0) rig.report(paths[at]!, [2048, 1_000_000 + round, 2048, 90_000])
    else if (round % 3 === 1) {
      rig.close(paths[at]!, [10_000_000, 1e10 + round, 10_000_000, 1e10])
      paths[at] = rig.open(`1:d${round}`)
    } else paths[at] = rig.open(`1:d${round - 1}`)
    rig.commit()
    // Most rounds fall into one look.
    if (round % 10 === 9) await wait(300)
  }
  await wait(400)
  while (follower.messages.at(-1)!.id < 71) await wait(50)
  for (const message of follower.messages.slice(1)) {
    const change = changeOf(message)
    for (const one of change.sessions) sessions.set(one.id, one)
    for (const id of change.gone) assert.ok(sessions.delete(id), `${id} was not shown`)
  }
  assert.ok(follower.messages.length > 5 && follower.messages.length < 40, String(follower.messages.length))
  const numbers = follower.messages.map(({ id }) => id)
  assert.deepEqual(
    numbers,
    numbers.toSorted((a, b) => a - b),
  )
  const other = snapshotOf(await (await Follower.on(address, context)).next())
  assert.deepEqual(
    Array.from(sessions.values()).sort((a, b) => b.id - a.id),
    other.sessions,
  )
  follower.stop()
  await wait(100)
  // The feed begins anew when nobody has watched, and finds the same.
  const later = snapshotOf(await (await Follower.on(address, context)).next())
  assert.deepEqual(later.sessions, other.sessions)
})

test('a client that comes again gets a snapshot, whatever it has seen last', async (context) => {
  const rig = new Rig(context)
  rig.open('1:alice')
  rig.commit()
  const address = `${await rig.serve(context)}/v1/live`
  for (const id of ['0', '1', '77', 'nonsense']) {
    const follower = await Follower.on(address, context, { 'Last-Event-ID': id })
    assert.deepEqual(names(snapshotOf(await follower.next()).sessions), ['alice'])
  }
})

test('the newest 450 that are open and the last 50 that ended are shown, and others when there is room', async (context) => {
  const rig = new Rig(context)
  for (let i = 0; i < 60; i++) rig.call(`1:done${i}`, 1)
  const paths = Array.from({ length: 460 }, (_, i) => rig.open(`1:open${i}`))
  rig.commit()
  const follower = await Follower.on(`${await rig.serve(context)}/v1/live`, context)
  const snapshot = snapshotOf(await follower.next())
  const expected = [
    ...Array.from({ length: 450 }, (_, i) => `open${459 - i}`),
    ...Array.from({ length: 50 }, (_, i) => `done${59 - i}`),
  ]
  assert.deepEqual(names(snapshot.sessions), expected)
  assert.equal(snapshot.totals.sessions, 460)
  const byName = new Map(snapshot.sessions.map(({ device, id }) => [device, id]))
  rig.pass(1000)
  rig.close(paths[459]!, [1, 1, 1, 1])
  rig.commit()
  const change = changeOf(await follower.next())
  assert.deepEqual(names(change.sessions).sort(), ['open459', 'open9'])
  assert.deepEqual(change.gone, [byName.get('done10')])
})

test('a session with very many allocations is looked at less often', async (context) => {
  const rig = new Rig(context)
  const paths = Array.from({ length: 600 }, () => rig.open('1:everybody'))
  rig.commit()
  const view = new LiveView()
  const look = () => view.look(rig.ledger.db, rig.now).sessions.length
  assert.equal(look(), 1)
  const seen: number[] = []
  for (let i = 0; i < 8; i++) {
    rig.pass(250)
    rig.report(paths[i]!, [2048, 100_000, 2048, 100_000])
    rig.commit()
    seen.push(look())
  }
  assert.deepEqual(seen, [0, 0, 1, 0, 0, 1, 0, 0])
})

test('a rate fades when nothing more is reported', async (context) => {
  const rig = new Rig(context)
  const path = rig.open('1:alice')
  rig.pass(1000)
  rig.report(path, [2048, 2_048_000, 2048, 204_800])
  rig.commit()
  const follower = await Follower.on(`${await rig.serve(context)}/v1/live`, context)
  const rate = ({ sessions: [one] }: { sessions: readonly LiveSession[] }) => one!.rates.receivedBitsPerSecond
  assert.equal(rate(snapshotOf(await follower.next())), 16_000_000)
  rig.pass(9000)
  rig.commit()
  // At most 4096 counts, half of them of 1000 bytes, since the last report.
  assert.equal(rate(changeOf(await follower.next())), 1_800_000)
})

test('rates and chart go on over a restart of the meter, by the average of each call', async (context) => {
  const rig = new Rig(context)
  const path = rig.open('1:alice')
  for (let i = 0; i < 2; i++) {
    rig.pass(60_000)
    rig.report(path, [2048, 2_048_000 * (i + 1), 2048, 204_800])
  }
  rig.gap('turn1', rig.now, 'restart')
  rig.pass(10_000)
  rig.commit()
  const { totals, chart } = snapshotOf(await (await Follower.on(`${await rig.serve(context)}/v1/live`, context)).next())
  // 6,144,000 bytes in 120 s.
  assert.equal(totals.rates.receivedBitsPerSecond, 410_000)
  assert.deepEqual(chart.receivedAwaited.slice(-3), [0, 410_000, 410_000])
})

test('what changes nothing but flags is sent too: a gap that falls into a call, a session that becomes final', async (context) => {
  const rig = new Rig(context)
  const path = rig.open('1:alice')
  rig.pass(1000)
  rig.report(path, [2048, 2_048_000, 2048, 204_800])
  const view = new LiveView()
  const look = (): LiveSession[] => {
    rig.pass(10)
    rig.commit()
    return view.look(rig.ledger.db, rig.now).sessions.map((text) => JSON.parse(text))
  }
  assert.equal(look()[0]!.missing.packets, 4095)
  assert.deepEqual(look(), [])
  // Its counters and times are as they were, but nothing bounds any more what is missing.
  rig.gap('turn1', rig.now - 500, 'connection')
  assert.deepEqual(
    look().map(({ missing }) => missing.packets),
    [null],
  )
  rig.close(path, [2048, 2_048_000, 2048, 204_800])
  assert.deepEqual(
    look().map(({ state }) => state),
    ['ended'],
  )
  // Nothing of its allocations changes any more.
  rig.pass(31_000)
  assert.deepEqual(
    look().map(({ state }) => state),
    ['final'],
  )
})

test('problems and servers are told when they change', async (context) => {
  const rig = new Rig(context)
  rig.commit()
  const follower = await Follower.on(`${await rig.serve(context)}/v1/live`, context)
  const snapshot = snapshotOf(await follower.next())
  assert.deepEqual(snapshot.findings, [])
  assert.deepEqual(
    snapshot.servers.map(({ name }) => name),
    ['turn1', 'turn2'],
  )
  rig.status = statusAt(rig.now, { failing: 'database or disk is full', pending: 5 })
  await wait(1100)
  rig.commit()
  const { findings } = changeOf(await follower.until(({ data }) => data.includes('"findings"')))
  assert.deepEqual(
    findings!.map(({ code, level }) => `${code} ${level}`),
    ['store-failing problem'],
  )
})

async function rawClient(address: string, test: Ending): Promise<Socket> {
  const { hostname, port } = new URL(address)
  const socket = connect(Number(port), hostname)
  test.after(() => socket.destroy())
  await once(socket, 'connect')
  socket.write(`GET /v1/live HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`)
  return socket
}

test('a client that takes nothing is dropped, and the others are not held up', { timeout: 30_000 }, async (context) => {
  const rig = new Rig(context)
  const paths = Array.from({ length: 400 }, (_, i) => rig.open(`1:${'x'.repeat(3000)}${i}`))
  rig.commit()
  const address = await rig.serve(context)
  const slow = await rawClient(address, context)
  slow.pause()
  const closed = once(slow, 'close')
  const follower = await Follower.on(`${address}/v1/live`, context)
  const { chart } = snapshotOf(await follower.next())
  const known = new Map<number, number>()
  const learn = ({ from, stepSeconds, received }: LiveSnapshot['chart']) => {
    for (const [i, value] of received.entries()) known.set(Date.parse(from) + i * stepSeconds * 1000, value)
  }
  learn(chart)
  for (let round = 0; round < 20; round++) {
    rig.pass(1000)
    for (const path of paths) rig.report(path, [2048, 1000 + round, 2048, 1000])
    rig.commit()
    await wait(260)
  }
  await follower.until(({ id }) => id === 21)
  const changes = follower.messages.slice(1).map(changeOf)
  assert.equal(changes.at(-1)!.sessions.length, 400)
  for (const one of changes) if (one.chart !== undefined) learn(one.chart)
  const other = snapshotOf(await (await Follower.on(`${address}/v1/live`, context)).next())
  assert.equal(other.chart.received.length, 4)
  assert.deepEqual(Array.from(known.values()), other.chart.received)
  // Everything that is left in the kernel is taken, and then the connection is found broken.
  slow.on('error', () => {})
  slow.resume()
  await closed
  assert.ok(slow.bytesRead < 20 * 400 * 3000, `it was sent everything: ${slow.bytesRead}`)
})

test('500 clients get every change', async (context) => {
  const rig = new Rig(context)
  const path = rig.open('1:alice')
  rig.commit()
  const address = await rig.serve(context)
  const sockets = await Promise.all(Array.from({ length: 500 }, () => rawClient(address, context)))
  const heard = sockets.map(() => '')
  for (const [i, socket] of sockets.entries()) {
    socket.setEncoding('utf8').on('data', (text: string) => {
      heard[i] += text
    })
  }
  const allHave = async (what: string) => {
    for (let i = 0; i < 100 && !heard.every((text) => text.includes(what)); i++) await wait(50)
    assert.equal(heard.filter((text) => text.includes(what)).length, 500, what)
  }
  await allHave('event: snapshot\nid: 1\n')
  for (let commit = 2; commit <= 5; commit++) {
    rig.pass(1000)
    rig.report(path, [2048, 1_000_000, 2048, 1_000_000])
    rig.commit()
    await allHave(`event: change\nid: ${commit}\n`)
  }
})

test('nobody is looked for when nobody watches', async (context) => {
  const rig = new Rig(context)
  const follower = await Follower.on(`${await rig.serve(context)}/v1/live`, context)
  await follower.next()
  assert.equal(rig.commits.size, 1)
  follower.stop()
  for (let i = 0; i < 40 && rig.commits.size > 0; i++) await wait(25)
  assert.equal(rig.commits.size, 0)
})
