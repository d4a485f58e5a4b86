import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import {
  type Client,
  coturn,
  type Endpoint,
  event,
  openEndpoint,
  path,
  pausable,
  request,
  tells,
  until,
} from './resp-endpoint.ts'

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
