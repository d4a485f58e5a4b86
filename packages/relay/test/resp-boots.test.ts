import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Boots } from '../src/ingest/boots.ts'
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
  monotonic.ahead += 1500
  t.mock.timers.tick(250)
  assert.deepEqual(kindsOf(endpoint), ['connected'])
  const c = await endpoint.join()
  monotonic.ahead += 5000
  t.mock.timers.tick(250)
  c.socket.end()
  await c.isClosed()
  await new Promise(setImmediate)
  // Real time passes as well.
  monotonic.ahead += 1500
  t.mock.timers.tick(250)
  assert.deepEqual(kindsOf(endpoint), ['connected'])
  monotonic.ahead += 501
  t.mock.timers.tick(250)
  t.mock.timers.tick(250)
  assert.deepEqual(kindsOf(endpoint), ['connected', 'disconnected'])
})

const kindsOf = (endpoint: Endpoint) =>
  endpoint.notices.flatMap(({ kind }) =>
    kind === 'connected' || kind === 'disconnected' || kind === 'restarted' ? [kind] : [],
  )
