import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Refusals } from '../src/ingest/refusals.ts'
import { openEndpoint, request } from './resp-endpoint.ts'

const event = request('PUBLISH', 'turn/user/alice/allocation/000000000000000001/status', 'deleted')

const broken: readonly (readonly [what: string, sent: string | Uint8Array])[] = [
  ['a negative count', '*-1\r\n'],
  ['a count of millions', '*999999999\r\n'],
  ['a bulk of 99 GB', '*1\r\n$99999999999\r\n'],
  ['a null bulk', '*1\r\n$-1\r\n'],
  ['NUL bytes', new Uint8Array(40_000)],
  ['letters without an end', 'x'.repeat(40_000)],
  ['a frame of 15 MB', `*3\r\n$7\r\nPUBLISH\r\n$15000000\r\n${'x'.repeat(40_000)}`],
  ['a TLS client', Buffer.concat([Buffer.from('160301', 'hex'), Buffer.alloc(40_000, 1)])],
]

for (const [what, sent] of broken) {
  test(`[R28] not the protocol: told, closed, and nobody else notices: ${what}`, async (t) => {
    const endpoint = await openEndpoint(t)
    const neighbour = await endpoint.join()
    for (const client of [await endpoint.connect(), await endpoint.join()]) {
      client.send(sent)
      await client.isClosed()
    }
    neighbour.send(event)
    await neighbour.hears(':1\r\n')
    // What the member was about to say is lost.
    assert.deepEqual(
      endpoint.lines.map((line) => line.replace(/\d+ ms/, 'some ms').replace(/boot \d/, 'boot')),
      ['turn1 boot: gap connection some ms', 'turn1 boot: deleted turn/user/alice/allocation/000000000000000001'],
    )
    // The second for the same reason is counted.
    const refused = endpoint.notices.flatMap((notice) => (notice.kind === 'refused' ? [notice] : []))
    assert.equal(refused.length, 1)
    assert.match(refused[0]!.why, /^not the Redis protocol: /)
    assert.equal(refused[0]!.count, 1)
  })
}

test('[R28] a thousand refusals are a line at once, and one that counts them every 10 s', (t) => {
  let now = 0
  t.mock.method(performance, 'now', () => now)
  const told: [why: string, count: number][] = []
  const refusals = new Refusals(
    () => 7000,
    ({ why, count }) => told.push([why, count]),
  )
  assert.equal(refusals.status, null)
  const looks = (seconds: number) => {
    for (let i = 0; i < seconds * 4; i++) {
      now += 250
      refusals.look()
    }
  }
  for (let i = 0; i < 1000; i++) refusals.note('wrong password', '192.0.2.1')
  refusals.note('too many connections', '192.0.2.1')
  assert.deepEqual(refusals.status, { count: 1001, lastAt: 7000, why: 'too many connections' })
  looks(9)
  assert.deepEqual(told.splice(0), [
    ['wrong password', 1],
    ['too many connections', 1],
  ])
  looks(1)
  assert.deepEqual(told.splice(0), [['wrong password', 999]])
  refusals.note('wrong password', '192.0.2.1')
  looks(9)
  assert.deepEqual(told, [])
  looks(1)
  assert.deepEqual(told.splice(0), [['wrong password', 1]])
  looks(10)
  refusals.note('wrong password', '192.0.2.1')
  assert.deepEqual(told, [['wrong password', 1]], 'after a quiet time the first is told at once again')
})

test('[R28] the fault is told before the connection is closed', async (t) => {
  const endpoint = await openEndpoint(t)
  const client = await endpoint.join()
  client.send(Buffer.concat([event, Buffer.from('*x\r\n'), event]))
  await client.isClosed()
  assert.equal(client.heard, ':1\r\n-ERR Protocol error: invalid multibulk length\r\n')
  assert.deepEqual(
    endpoint.lines.map((line) => line.split(' ', 4)[3]),
    ['deleted', 'gap'],
  )
})
