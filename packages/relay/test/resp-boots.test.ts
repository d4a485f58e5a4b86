import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Boots } from '../src/ingest/boots.ts'
import { type Client, type Endpoint, openEndpoint, request, until } from './resp-endpoint.ts'

test('[R3] several KEYS before the first event are one boot', () => {
  const boots = new Boots(0)
  for (let i = 0; i < 8; i++) boots.keys()
  assert.equal(boots.event('a'), 1)
  assert.equal(boots.event('b'), 1)
  assert.deepEqual(boots.over(), [])
})

test('[R3] a lasting connection that was opened before KEYS belongs to the boot that begins then', () => {
  const boots = new Boots(3)
  boots.keys()
  boots.keys()
  assert.equal(boots.event('relay thread'), 4)
  assert.deepEqual(boots.over(), [3])
})

test('[R3] a new boot ends the old one when its connections are closed, not before; each is told once', () => {
  const boots = new Boots(0)
  boots.keys()
  boots.event('a')
  boots.event('b')
  boots.keys()
  assert.equal(boots.event('c'), 2)
  assert.deepEqual(boots.over(), [])
  boots.closed('a')
  assert.deepEqual(boots.over(), [])
  assert.equal(boots.event('b'), 1)
  boots.closed('b')
  assert.deepEqual(boots.over(), [1])
  assert.deepEqual(boots.over(), [])
  assert.equal(boots.event('c'), 2)
})

test('[R3] without KEYS a reconnecting coturn goes on with its boot, after a restart of the meter too', () => {
  const boots = new Boots(0)
  assert.equal(boots.event('a'), 1)
  boots.closed('a')
  assert.equal(boots.event('b'), 1)
  const again = new Boots(boots.current)
  assert.equal(again.event('c'), 1)
  assert.deepEqual(again.over(), [])
})

test('[R3] KEYS after a restart of the meter end what was known from before', () => {
  const boots = new Boots(7)
  boots.keys()
  assert.deepEqual(boots.over(), [7])
  assert.equal(boots.event('a'), 8)
})

test('[R3] starts that nothing was heard of are not counted', () => {
  const boots = new Boots(0)
  boots.keys()
  boots.event('a')
  boots.closed('a')
  for (let i = 0; i < 5; i++) {
    boots.keys()
    boots.over()
  }
  assert.equal(boots.event('b'), 2)
})

test('[R3] three starts whose connections close in any order', () => {
  const boots = new Boots(0)
  for (const connection of ['a', 'b', 'c']) {
    boots.keys()
    boots.event(connection)
  }
  boots.closed('b')
  assert.deepEqual(boots.over(), [2])
  boots.closed('a')
  assert.deepEqual(boots.over(), [1])
  assert.equal(boots.event('c'), 3)
})

const path = 'turn/user/alice/allocation/000000000000000001'
const event = request('PUBLISH', `${path}/status`, 'deleted')

/** A coturn as the endpoint sees it: a connection that asks for `KEYS` and goes, and one for each relay thread. */
async function coturn(endpoint: Endpoint): Promise<Client[]> {
  const threads = [await endpoint.join(), await endpoint.join()]
  const starter = await endpoint.join()
  starter.send(request('keys', 'turn/*/allocation/*/status'))
  await starter.hears('*0\r\n')
  starter.socket.end()
  return threads
}

async function tells(client: Client, ...messages: Buffer[]): Promise<void> {
  client.send(...messages)
  await client.hears(':1\r\n'.repeat(messages.length))
}

test('[R3] coturn ends and starts again: what was open in the old boot is over, the new one is another', async (t) => {
  const endpoint = await openEndpoint(t)
  const first = await coturn(endpoint)
  for (const thread of first) await tells(thread, event)
  assert.deepEqual(endpoint.lines.splice(0), [`turn1 boot 1: deleted ${path}`, `turn1 boot 1: deleted ${path}`])
  for (const thread of first) thread.socket.end()
  for (const thread of first) await thread.isClosed()
  const second = await coturn(endpoint)
  await tells(second[0]!, event)
  assert.deepEqual(endpoint.lines, ['turn1 boot 2: boot 1 is over', `turn1 boot 2: deleted ${path}`])
  assert.deepEqual(kindsOf(endpoint), ['connected', 'restarted'])
})

test('[R3] the new coturn speaks while the old one closes: each event belongs to its own', async (t) => {
  const endpoint = await openEndpoint(t)
  const [a, b] = (await coturn(endpoint)) as [Client, Client]
  await tells(a, event)
  await tells(b, event)
  const [c] = (await coturn(endpoint)) as [Client]
  await tells(c, event)
  await tells(a, event)
  a.socket.end()
  await a.isClosed()
  await tells(b, event)
  b.socket.end()
  await until(() => endpoint.lines.some((line) => line.endsWith('is over')), 'the end of the old boot')
  await tells(c, event)
  assert.deepEqual(
    endpoint.lines.map((line) => line.replace(` ${path}`, '')),
    [
      ...['turn1 boot 1: deleted', 'turn1 boot 1: deleted', 'turn1 boot 2: deleted'],
      ...['turn1 boot 1: deleted', 'turn1 boot 1: deleted', 'turn1 boot 2: boot 1 is over', 'turn1 boot 2: deleted'],
    ],
  )
})

test('[R3] events and KEYS in one chunk: what stands before KEYS belongs to what was before', async (t) => {
  const endpoint = await openEndpoint(t)
  const client = await endpoint.join()
  client.send(Buffer.concat([event, request('KEYS', '*'), event]))
  await client.hears(':1\r\n*0\r\n:1\r\n')
  const other = await endpoint.join()
  await tells(other, event)
  assert.deepEqual(
    endpoint.lines.map((line) => line.slice(0, 12)),
    ['turn1 boot 1', 'turn1 boot 1', 'turn1 boot 2'],
  )
})

test('[R17, R30] after a restart of the meter the time without it is a gap, and the boot goes on', async (t) => {
  const heardAt = Date.UTC(2026, 0, 1) - 90_000
  const endpoint = await openEndpoint(t, [{}, {}], { boot: 4, heardAt })
  const client = await endpoint.join()
  await tells(client, event)
  assert.deepEqual(endpoint.lines, ['turn1 boot 4: gap restart 90000 ms', `turn1 boot 4: deleted ${path}`])
})

test('[R17] a connection that breaks is a gap since it was last read; one that ends is none', async (t) => {
  const endpoint = await openEndpoint(t)
  const [broken, ended] = (await coturn(endpoint)) as [Client, Client]
  await tells(broken, event)
  await tells(ended, event)
  endpoint.lines.length = 0
  endpoint.clock.now += 2500
  ended.socket.end()
  await ended.isClosed()
  broken.socket.resetAndDestroy()
  await until(() => endpoint.lines.length > 0, 'a gap')
  assert.deepEqual(endpoint.lines, ['turn1 boot 1: gap connection 2500 ms'])
})

test('a coturn is there from its first connection until it has had none for 2 s', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const monotonic = pausable(t)
  const endpoint = await openEndpoint(t)
  const [a, b] = (await coturn(endpoint)) as [Client, Client]
  for (const thread of [a, b]) thread.socket.end()
  for (const thread of [a, b]) await thread.isClosed()
  monotonic.ahead += 1900
  t.mock.timers.tick(250)
  assert.deepEqual(kindsOf(endpoint), ['connected'])
  const c = await endpoint.join()
  monotonic.ahead += 5000
  t.mock.timers.tick(250)
  c.socket.end()
  await c.isClosed()
  await new Promise(setImmediate)
  monotonic.ahead += 1999
  t.mock.timers.tick(250)
  assert.deepEqual(kindsOf(endpoint), ['connected'])
  monotonic.ahead += 2
  t.mock.timers.tick(250)
  t.mock.timers.tick(250)
  assert.deepEqual(kindsOf(endpoint), ['connected', 'disconnected'])
})

const kindsOf = (endpoint: Endpoint) =>
  endpoint.notices.flatMap(({ kind }) =>
    kind === 'connected' || kind === 'disconnected' || kind === 'restarted' ? [kind] : [],
  )

/** The monotonic clock, which a test can put ahead: to the meter that is a time in which it did not run. */
function pausable(t: TestContext): { ahead: number } {
  const clock = { ahead: 0 }
  const real = performance.now.bind(performance)
  t.mock.method(performance, 'now', () => real() + clock.ahead)
  return clock
}

/** Lets time pass in which the thread runs and nothing is read. */
const passing = (t: TestContext, endpoint: Endpoint, monotonic: { ahead: number }) => (ms: number) => {
  monotonic.ahead += ms
  endpoint.clock.now += ms
  t.mock.timers.tick(250)
}

/** As much as a pipe can hold, in events. */
const much = (bytes: number) => Buffer.concat(Array.from({ length: Math.ceil(bytes / event.length) }, () => event))

/** What `/proc/sys/net/ipv4/tcp_rmem` can ask for at most, on any machine that runs these tests. */
const FULL = 2 ** 20

test('[R29] after a pause with much in the pipe: all of it is read, then closed, and a gap is recorded', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const monotonic = pausable(t)
  const endpoint = await openEndpoint(t)
  const [busy, quiet] = (await coturn(endpoint)) as [Client, Client]
  await tells(busy, event)
  await tells(quiet, event)
  t.mock.timers.tick(250)
  endpoint.lines.length = 0
  monotonic.ahead += 4000
  endpoint.clock.now += 4000
  const waiting = much(FULL)
  busy.send(waiting)
  await tells(quiet, event)
  // A look that comes at once finds the pipe half read: it must wait for the rest.
  await until(() => endpoint.lines.length > 1, 'the first of it')
  t.mock.timers.tick(250)
  await until(() => endpoint.lines.length === waiting.length / event.length + 1, 'all that waited')
  monotonic.ahead += 250
  t.mock.timers.tick(250)
  await busy.isClosed()
  assert.equal(quiet.closed, false)
  const gap = /^turn1 boot 1: gap stall (\d+) ms$/.exec(endpoint.lines.at(-1)!)
  assert.ok(Number(gap?.[1]) >= 4000 && Number(gap?.[1]) < 4500, endpoint.lines.at(-1))
  assert.deepEqual(
    endpoint.notices.filter(({ kind }) => kind === 'gap'),
    [{ kind: 'gap', server: 'turn1', why: 'stall', ms: Number(gap![1]) }],
  )
  t.mock.timers.tick(250)
  const again = await endpoint.join()
  await tells(again, event)
  assert.equal(endpoint.lines.at(-1), `turn1 boot 1: deleted ${path}`)
})

test('[R29] a pause on the heels of another is one with it', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const monotonic = pausable(t)
  const endpoint = await openEndpoint(t)
  const client = await endpoint.join()
  monotonic.ahead += 4000
  endpoint.clock.now += 4000
  const waiting = much(FULL)
  client.send(waiting)
  await until(() => endpoint.lines.length === waiting.length / event.length, 'all that waited')
  monotonic.ahead += 2000
  endpoint.clock.now += 2000
  t.mock.timers.tick(250)
  await client.stays()
  monotonic.ahead += 250
  t.mock.timers.tick(250)
  await client.isClosed()
  const gap = /^turn1 boot 1: gap stall (\d+) ms$/.exec(endpoint.lines.at(-1)!)
  assert.ok(Number(gap?.[1]) >= 6000 && Number(gap?.[1]) < 6500, endpoint.lines.at(-1))
})

test('[R29] a pause with little in the pipe, and much without a pause, cost nothing', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const monotonic = pausable(t)
  const endpoint = await openEndpoint(t)
  const client = await endpoint.join()
  monotonic.ahead += 4000
  await tells(client, event, event)
  for (let i = 0; i < 3; i++) {
    monotonic.ahead += 250
    t.mock.timers.tick(250)
  }
  client.send(much(FULL))
  await until(() => endpoint.lines.length > FULL / event.length, 'all events')
  for (let i = 0; i < 3; i++) t.mock.timers.tick(250)
  await client.hears(':1\r\n'.repeat(endpoint.lines.length - 2))
  await client.isIdle()
  assert.deepEqual(
    endpoint.lines.filter((line) => line.includes('gap')),
    [],
  )
})

test('[R29] half a request and no more for seconds: the other side was blocked; closed, and a gap recorded', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const monotonic = pausable(t)
  const endpoint = await openEndpoint(t)
  const client = await endpoint.join()
  await tells(client, event)
  client.send(event, event.subarray(0, 20))
  await client.hears(':1\r\n')
  endpoint.lines.length = 0
  // No pause of ours: the thread runs all the while, and only the other side is silent.
  const passes = passing(t, endpoint, monotonic)
  for (let i = 0; i < 3; i++) passes(700)
  await client.stays()
  for (let i = 0; i < 3; i++) passes(700)
  await client.isClosed()
  assert.equal(endpoint.lines.length, 1)
  assert.match(endpoint.lines[0]!, /^turn1 boot 1: gap stall \d+ ms$/)
})

test('[R29] a pause in the middle of a request: what waits is read before anything is judged', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const monotonic = pausable(t)
  const endpoint = await openEndpoint(t)
  const client = await endpoint.join()
  client.send(event, event.subarray(0, 20))
  await client.hears(':1\r\n')
  monotonic.ahead += 4000
  endpoint.clock.now += 4000
  client.send(event.subarray(20), event)
  // The timer's turn comes before the socket's.
  t.mock.timers.tick(250)
  await client.hears(':1\r\n:1\r\n')
  for (let i = 0; i < 3; i++) {
    monotonic.ahead += 250
    t.mock.timers.tick(250)
  }
  await client.stays()
  assert.equal(endpoint.lines.length, 3)
})

test('[R29] a whole request and no more for hours is a quiet coturn', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const endpoint = await openEndpoint(t)
  const client = await endpoint.join()
  await tells(client, event)
  endpoint.clock.now += 7_200_000
  t.mock.timers.tick(250)
  await client.stays()
  await tells(client, event)
  assert.deepEqual(endpoint.lines, [`turn1 boot 1: deleted ${path}`, `turn1 boot 1: deleted ${path}`])
})

test('[R29] a network that stood still, then half a request: the gap begins where the silence began', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const monotonic = pausable(t)
  const endpoint = await openEndpoint(t)
  const client = await endpoint.join()
  const passes = passing(t, endpoint, monotonic)
  await tells(client, event)
  endpoint.lines.length = 0
  for (let i = 0; i < 20; i++) passes(1000)
  // What had waited in the pipe comes in two reads; the rest of it coturn has thrown away.
  await tells(client, event)
  passes(500)
  client.send(event, event.subarray(0, 20))
  await client.hears(':1\r\n')
  for (let i = 0; i < 4; i++) passes(1000)
  await client.isClosed()
  assert.equal(endpoint.lines.length, 3)
  assert.equal(endpoint.lines[2], 'turn1 boot 1: gap stall 24500 ms')
})

test('[R29] heartbeats that stop are a coturn that fell silent; one that never had any may be quiet', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const monotonic = pausable(t)
  const endpoint = await openEndpoint(t)
  const passes = passing(t, endpoint, monotonic)
  const beating = await endpoint.join()
  const quiet = await endpoint.join()
  await tells(beating, request('publish', '__XXX__', '__YYY__'))
  await tells(quiet, event)
  endpoint.lines.length = 0
  for (let i = 0; i < 20; i++) passes(1000)
  await beating.stays()
  for (let i = 0; i < 2; i++) passes(1000)
  await beating.isClosed()
  await quiet.stays()
  assert.deepEqual(endpoint.lines, ['turn1 boot 1: gap stall 22000 ms'])
})

test('[R29] connections that are closed together are one gap, which stands before what is heard after it', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const monotonic = pausable(t)
  const endpoint = await openEndpoint(t)
  const passes = passing(t, endpoint, monotonic)
  const halves = [await endpoint.join(), await endpoint.join(), await endpoint.join()]
  const other = await endpoint.join()
  for (const client of halves) {
    await tells(client, event)
    client.send(event.subarray(0, 20))
    passes(500)
  }
  await tells(other, event)
  endpoint.lines.length = 0
  monotonic.ahead += 4000
  endpoint.clock.now += 4000
  for (let i = 0; i < 3; i++) passes(500)
  // Its event is in the pipe when the connections are closed.
  await tells(other, event)
  for (const client of halves) await client.isClosed()
  assert.deepEqual(endpoint.lines, ['turn1 boot 1: gap stall 7000 ms', `turn1 boot 1: deleted ${path}`])
})
