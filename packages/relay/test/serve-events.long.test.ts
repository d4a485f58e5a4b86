import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { TailEvent } from '../src/serve/contract.ts'
import { schemas } from '../src/serve/schemas.ts'
import { get, Rig, TOKEN } from './api-rig.ts'
import { Follower } from './serve-follower.ts'

function event(device: string, more: Partial<TailEvent> = {}): TailEvent {
  return {
    at: '2026-01-01T12:00:00.000Z',
    server: 'turn1',
    realm: 'example.org',
    username: `1:${device}`,
    device,
    allocation: '000000000000000001',
    event: 'deleted',
    lifetimeSeconds: null,
    counters: null,
    ...more,
  }
}

function tell(rig: Rig, events: readonly TailEvent[], dropped = 0): void {
  for (const listener of rig.watchers) listener(events, dropped)
}

test('events are passed on as they come, and only while somebody watches', async (context) => {
  const rig = new Rig(context)
  const address = `${await rig.serve(context)}/v1/events`
  assert.equal(rig.watchers.size, 0)
  const everything = await Follower.on(address, context)
  const bob = await Follower.on(`${address}?device=bob`, context)
  assert.equal(rig.watchers.size, 1)
  tell(rig, [event('alice'), event('bob'), event('line\nbreak\u2028')])
  const devices: string[] = []
  for (let i = 0; i < 3; i++) devices.push(schemas.TailEvent.parse(JSON.parse((await everything.next()).data)).device)
  assert.deepEqual(devices, ['alice', 'bob', 'line\nbreak\u2028'])
  tell(rig, [event('bob', { event: 'new' })])
  const own = [await bob.next(), await bob.next()].map(({ data }) => JSON.parse(data))
  assert.deepEqual(own, [event('bob'), event('bob', { event: 'new' })])
  everything.stop()
  bob.stop()
  for (let i = 0; i < 40 && rig.watchers.size > 0; i++) await wait(25)
  assert.equal(rig.watchers.size, 0)
})

test('what the meter had to leave out is said', async (context) => {
  const rig = new Rig(context)
  const follower = await Follower.on(`${await rig.serve(context)}/v1/events?device=alice`, context)
  tell(rig, [event('bob'), event('alice')], 12)
  const [first, second] = [await follower.next(), await follower.next()]
  assert.deepEqual([first.event, first.data], ['dropped', '{"dropped":12}'])
  assert.deepEqual(JSON.parse(second.data), event('alice'))
})

test('a client that does not keep up misses events, and is told how many', { timeout: 30_000 }, async (context) => {
  const rig = new Rig(context)
  const address = new URL(await rig.serve(context))
  const socket = connect(Number(address.port), address.hostname)
  context.after(() => socket.destroy())
  await once(socket, 'connect')
  socket.write(`GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`)
  await once(socket, 'data')
  socket.pause()
  const many = Array.from({ length: 1000 }, (_, i) => event(`d${i}`))
  for (let i = 0; i < 100; i++) {
    tell(rig, many)
    await wait(5)
  }
  let heard = ''
  socket.setEncoding('utf8').on('data', (text: string) => {
    heard += text
  })
  socket.resume()
  for (let i = 0; i < 100 && !heard.includes('"device":"last"'); i++) {
    await wait(50)
    tell(rig, [event('last')])
  }
  const dropped = Array.from(heard.matchAll(/event: dropped\ndata: \{"dropped":(\d+)\}/g), ([, count]) => Number(count))
  assert.equal(dropped.length, 1)
  const received = Array.from(heard.matchAll(/"device":"d\d+"/g)).length
  const last = Array.from(heard.matchAll(/"device":"last"/g)).length
  assert.ok(received >= 1000 && last > 0)
  assert.ok(received + dropped[0]! >= 100_000 && received + dropped[0]! < 100_000 + 100, `${received} + ${dropped[0]}`)
})

test('a stream needs a socket, and a question about one does not begin it', async (context) => {
  const rig = new Rig(context)
  const api = rig.api()
  assert.equal((await api.fetch(get('/v1/events'))).status, 500)
  const { status, headers } = await api.fetch(
    new Request('http://x/v1/events', { method: 'HEAD', headers: { Authorization: `Bearer ${TOKEN}` } }),
  )
  assert.deepEqual([status, headers.get('content-type')], [200, 'text/event-stream'])
  assert.equal(rig.watchers.size, 0)
})

test('the end of the API ends its streams', async (context) => {
  const rig = new Rig(context)
  const follower = await Follower.on(`${await rig.serve(context)}/v1/events`, context)
  rig.end()
  await follower.ended
})
