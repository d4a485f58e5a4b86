import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Batch, Kind } from '../src/core/event.ts'
import { createStream, type Stream } from '../src/core/state.ts'
import type { RespServer } from '../src/ingest/resp.ts'
import { Sharing } from '../src/ingest/sharing.ts'
import { Client, coturn, type Endpoint, event, openEndpoint, path, request, tells, until } from './resp-endpoint.ts'

const server = (name: string, token: string, version: string | null = null): RespServer => ({ name, token, version })

/** As the meter does it: the streams that there are, and one for each new name. */
function setServers(endpoint: Endpoint, ...servers: RespServer[]): void {
  const streams = new Map<string, Stream>(endpoint.streams.map((stream) => [stream.name, stream]))
  for (const { name } of servers) {
    if (!streams.has(name)) streams.set(name, createStream(streams.size + 1, name, true))
  }
  ;(endpoint.streams as Stream[]).splice(0, Number.POSITIVE_INFINITY, ...streams.values())
  endpoint.source.setServers(servers, streams)
}

const WRONG = '-WRONGPASS invalid username-password pair or user is disabled.\r\n'

test('[R28, R31] a server that is added is let in, and nobody else is disturbed', async (t) => {
  const endpoint = await openEndpoint(t)
  const old = await endpoint.join('tok1')
  await tells(old, event)
  const early = await endpoint.connect()
  early.send(request('AUTH', 'tok2'))
  await early.hears(WRONG)
  setServers(endpoint, server('turn1', 'tok1'), server('turn2', 'tok2'))
  early.send(request('AUTH', 'tok2'))
  await early.hears('+OK\r\n')
  await tells(early, event)
  await tells(old, event)
  assert.deepEqual(endpoint.lines, [
    `turn1 boot 1: deleted ${path}`,
    `turn2 boot 1: deleted ${path}`,
    `turn1 boot 1: deleted ${path}`,
  ])
})

test('[R17, R28] a server that is removed: its connections are closed, which is a gap, and it is not let in', async (t) => {
  const endpoint = await openEndpoint(t, [{}, {}])
  const [gone, alsoGone, stays] = [
    await endpoint.join('tok1'),
    await endpoint.join('tok1'),
    await endpoint.join('tok2'),
  ]
  for (const client of [gone, alsoGone, stays]) await tells(client, event)
  endpoint.lines.length = 0
  endpoint.clock.now += 700
  setServers(endpoint, server('turn2', 'tok2'))
  await gone.isClosed()
  await alsoGone.isClosed()
  await tells(stays, event)
  assert.deepEqual(endpoint.lines, ['turn1 boot 1: gap connection 700 ms', `turn2 boot 1: deleted ${path}`])
  const again = await endpoint.connect()
  again.send(request('AUTH', 'tok1'))
  await again.hears(WRONG)
  assert.deepEqual(
    endpoint.source.status().servers.map(({ name }) => name),
    ['turn2'],
  )
  assert.deepEqual(
    endpoint.notices.filter(({ kind }) => kind === 'disconnected'),
    [{ kind: 'disconnected', server: 'turn1' }],
  )
})

test('[R17] a server that comes back goes on with its boot, and the time without it is a gap', async (t) => {
  const endpoint = await openEndpoint(t, [{}, {}])
  const first = await endpoint.join('tok1')
  await tells(first, event)
  setServers(endpoint, server('turn2', 'tok2'))
  await first.isClosed()
  endpoint.lines.length = 0
  endpoint.clock.now += 60_000
  setServers(endpoint, server('turn2', 'tok2'), server('turn1', 'new'))
  const second = await endpoint.join('new')
  await tells(second, event)
  assert.deepEqual(endpoint.lines, ['turn1 boot 1: gap connection 60000 ms', `turn1 boot 1: deleted ${path}`])
})

test('[R28] a new password: who said the old one is closed, which is a gap, and only the new one lets in', async (t) => {
  const endpoint = await openEndpoint(t, [{}, {}])
  const [changed, same] = [await endpoint.join('tok1'), await endpoint.join('tok2')]
  await tells(changed, event)
  endpoint.lines.length = 0
  setServers(endpoint, server('turn1', 'other'), server('turn2', 'tok2', '4.17.1'))
  await changed.isClosed()
  await same.isIdle()
  assert.deepEqual(endpoint.lines, ['turn1 boot 1: gap connection 0 ms'])
  const late = await endpoint.connect()
  late.send(request('AUTH', 'tok1'), request('AUTH', 'other'))
  await late.hears(`${WRONG}+OK\r\n`)
  await tells(late, event)
  assert.equal(endpoint.lines.at(-1), `turn1 boot 1: deleted ${path}`)
  assert.deepEqual(
    endpoint.source.status().servers.map(({ version }) => version),
    [null, '4.17.1'],
  )
})

test('[R28] a server without a password that gets one is not open any more', async (t) => {
  const endpoint = await openEndpoint(t, [{ token: '' }])
  const before = await endpoint.connect()
  await before.isIdle()
  setServers(endpoint, server('turn1', 'tok1'))
  await before.isClosed()
  const after = await endpoint.connect()
  after.send(event)
  await after.hears('-NOAUTH Authentication required.\r\n')
})

test('what is known of each server', async (t) => {
  const endpoint = await openEndpoint(t, [{ version: '4.6.1' }, {}], { boot: 4 })
  const unheard = { kind: 'coturn', connections: 0, boot: 0, lastEventAt: Number.NaN, shared: false, version: null }
  const only = () => endpoint.source.status().servers[0]!
  assert.deepEqual(endpoint.source.status(), {
    servers: [
      { ...unheard, name: 'turn1', version: '4.6.1', boot: 4 },
      { ...unheard, name: 'turn2' },
    ],
    forward: null,
    refused: null,
  })
  const [a, b] = (await coturn(endpoint)) as [Client, Client]
  await until(() => only().connections === 2, 'the starter gone')
  // Neither a heartbeat nor what nobody can read is an event of an allocation.
  await tells(
    a,
    request('PUBLISH', '__XXX__', '__YYY__'),
    request('PUBLISH', 'turn/x', 'y'),
    request('PUBLISH', 'x', ''),
  )
  assert.ok(Number.isNaN(only().lastEventAt))
  endpoint.clock.now += 1000
  const at = endpoint.clock.now
  await tells(b, event, request('PUBLISH', 'turn/x', 'y'))
  assert.deepEqual(only(), {
    kind: 'coturn',
    name: 'turn1',
    version: '4.6.1',
    connections: 2,
    boot: 5,
    lastEventAt: at,
    shared: false,
  })
  endpoint.clock.now += 1000
  await tells(b, request('PUBLISH', '__XXX__', '__YYY__'))
  assert.equal(only().lastEventAt, at)
  const many = Buffer.concat(Array.from({ length: 9000 }, () => event))
  b.send(many, request('PUBLISH', '__XXX__', '__YYY__'))
  await b.hears(':1\r\n'.repeat(9001))
  assert.equal(only().lastEventAt, endpoint.clock.now)
  b.socket.end()
  await until(() => only().connections === 1, 'one connection less')
  assert.ok(Number.isNaN(endpoint.source.status().servers[1]!.lastEventAt))
})

test('the tap sees every batch before the sink does, while somebody watches', async (t) => {
  const seen: string[] = []
  let lines: readonly string[] = []
  const tap = (name: string, at: number, batch: Batch) => {
    const events = batch.kind.subarray(0, batch.length).filter((kind) => kind === Kind.deleted).length
    seen.push(`${name} ${at - Date.UTC(2026, 0, 1)} ${events} after ${lines.length}`)
  }
  const endpoint = await openEndpoint(t, [{}, {}], {}, { tap })
  lines = endpoint.lines
  const [a, b] = [await endpoint.join('tok1'), await endpoint.join('tok2')]
  await tells(a, event)
  assert.deepEqual(seen, [])
  assert.equal(endpoint.source.tapping, false)
  endpoint.source.tapping = true
  assert.equal(endpoint.source.tapping, true)
  endpoint.clock.now += 5
  await tells(a, event)
  b.send(Buffer.concat([event, event]))
  await b.hears(':1\r\n:1\r\n')
  assert.deepEqual(seen, ['turn1 5 1 after 1', 'turn2 5 2 after 2'])
  endpoint.source.tapping = false
  await tells(a, event)
  assert.equal(seen.length, 2)
})

test('[R3, R31] two coturns on one line, from two addresses: told once, and shown until one of them is silent', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const endpoint = await openEndpoint(t, [{}], {}, { host: '0.0.0.0' })
  const passes = passing(t, endpoint)
  const join = async (from: string) => {
    const client = await Client.to(endpoint.port, '127.0.0.1', from)
    t.after(() => client.socket.destroy())
    client.send(request('AUTH', 'tok1'))
    await client.hears('+OK\r\n')
    return client
  }
  const [a, b] = [await join('127.0.0.1'), await join('127.0.0.2')]
  await tells(a, event)
  await tells(b, event)
  passes(6000)
  assert.deepEqual(sharedOf(endpoint), { told: [], now: false })
  await tells(a, event)
  await tells(b, event)
  passes(250)
  const both = ['127.0.0.1', '127.0.0.2']
  assert.deepEqual(sharedOf(endpoint), { told: [both], now: true })
  for (let i = 0; i < 10; i++) {
    await tells(a, event)
    await tells(b, event)
    passes(10_000)
  }
  assert.deepEqual(sharedOf(endpoint), { told: [both], now: true })
  passes(51_000)
  assert.deepEqual(sharedOf(endpoint), { told: [both], now: false })
  await tells(a, event)
  await tells(b, event)
  passes(250)
  assert.deepEqual(sharedOf(endpoint), { told: [both, both], now: true })
  b.socket.destroy()
  await b.isClosed()
  await a.isIdle()
  passes(250)
  assert.equal(sharedOf(endpoint).now, false)
})

test('[R3] a former boot that still speaks half a minute after the next one began is another coturn', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const endpoint = await openEndpoint(t)
  const passes = passing(t, endpoint)
  const [old] = (await coturn(endpoint)) as [Client]
  await tells(old, event)
  passes(3_600_000)
  const [young] = (await coturn(endpoint)) as [Client]
  await tells(young, event)
  passes(30_000)
  await tells(old, event)
  passes(250)
  assert.deepEqual(sharedOf(endpoint), { told: [], now: false })
  await tells(old, event)
  passes(250)
  assert.deepEqual(sharedOf(endpoint), { told: [['127.0.0.1']], now: true })
  young.socket.end()
  await young.isClosed()
  await old.isIdle()
  passes(250)
  assert.equal(sharedOf(endpoint).now, false)
})

/** Lets time pass in which the thread runs. */
const passing = (t: TestContext, endpoint: Endpoint) => (ms: number) => {
  endpoint.clock.now += ms
  t.mock.timers.tick(250)
}

function sharedOf(endpoint: Endpoint): { told: (readonly string[])[]; now: boolean } {
  const told = endpoint.notices.flatMap((notice) => (notice.kind === 'shared' ? [notice.peers.toSorted()] : []))
  return { told, now: endpoint.source.status().servers[0]!.shared }
}

type Said = readonly [second: number, connection: string, peer: string, boot: number]
const histories: readonly (readonly [what: string, said: readonly Said[], now: number, peers: readonly string[]])[] = [
  [
    'one coturn with many connections',
    [
      [0, 'a', 'x', 1],
      [0, 'b', 'x', 1],
      [50, 'a', 'x', 1],
      [50, 'b', 'x', 1],
    ],
    60,
    [],
  ],
  [
    'a coturn that has moved, its old connection not closed yet',
    [
      [0, 'a', 'x', 1],
      [20, 'a', 'x', 1],
      [21, 'b', 'y', 1],
      [40, 'b', 'y', 1],
    ],
    40,
    [],
  ],
  [
    'what the old connection had sent is read after the first of the new one',
    [
      [0, 'a', 'x', 1],
      [21, 'b', 'y', 1],
      [25, 'a', 'x', 1],
      [50, 'b', 'y', 1],
    ],
    50,
    [],
  ],
  [
    'both at the same time',
    [
      [0, 'a', 'x', 1],
      [21, 'b', 'y', 1],
      [26, 'a', 'x', 1],
      [26, 'b', 'y', 1],
    ],
    26,
    ['x', 'y'],
  ],
  [
    'one in the other’s pause',
    [
      [0, 'a', 'x', 1],
      [20, 'b', 'y', 1],
      [30, 'b', 'y', 1],
      [50, 'a', 'x', 1],
    ],
    60,
    ['x', 'y'],
  ],
  [
    'one of them silent for more than a minute',
    [
      [0, 'a', 'x', 1],
      [0, 'b', 'y', 1],
      [20, 'b', 'y', 1],
      [81, 'a', 'x', 1],
    ],
    81,
    [],
  ],
  [
    'a restart at once, at another address',
    [
      [0, 'a', 'x', 1],
      [50, 'a', 'x', 1],
      [51, 'b', 'y', 2],
      [59, 'b', 'y', 2],
    ],
    60,
    [],
  ],
  [
    'the old boot ends within half a minute of the new one, at one address',
    [
      [0, 'a', 'x', 1],
      [10, 'b', 'x', 2],
      [40, 'a', 'x', 1],
      [60, 'b', 'x', 2],
    ],
    60,
    [],
  ],
  [
    'the old boot does not end',
    [
      [0, 'a', 'x', 1],
      [10, 'b', 'x', 2],
      [41, 'a', 'x', 1],
    ],
    60,
    ['x'],
  ],
  [
    'the new boot has fallen silent, the old one goes on alone',
    [
      [0, 'a', 'x', 1],
      [10, 'b', 'x', 2],
      [41, 'a', 'x', 1],
      [71, 'a', 'x', 1],
    ],
    71,
    [],
  ],
  [
    'a third boot begins: its predecessors have half a minute again',
    [
      [0, 'a', 'x', 1],
      [10, 'b', 'x', 2],
      [20, 'c', 'x', 3],
      [45, 'a', 'x', 1],
    ],
    60,
    [],
  ],
]

for (const [what, said, now, peers] of histories) {
  test(`[R3] two coturns on one line${peers.length > 0 ? '' : '? No'}: ${what}`, () => {
    const sharing = new Sharing()
    const speakers = new Map<string, { peer: string }>()
    for (const [second, connection, peer, boot] of said) {
      const speaker = speakers.get(connection) ?? { peer }
      speakers.set(connection, speaker)
      sharing.speaks(speaker, boot, second * 1000)
    }
    assert.deepEqual(Array.from(sharing.peers(now * 1000)).sort(), peers)
  })
}
