import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { type Client, openEndpoint, request, tells, until } from './resp-endpoint.ts'
import { callBytes, callReplies, EVENT, event, forwardOf, isSettled, KEYS, openScene, whysOf } from './tee-redis.ts'

test('[R32] what coturn says is passed on byte for byte, and its password is not', async (t) => {
  const { redis, endpoint } = await openScene(t)
  const client = await endpoint.connect()
  client.send(Buffer.concat([request('AUTH', 'tok1'), request('select', '3'), callBytes]))
  await client.hears(`+OK\r\n+OK\r\n${callReplies}`)
  await isSettled(endpoint, 7)
  assert.deepEqual(redis.guests[0]!.said, Buffer.concat([request('select', '3'), callBytes]))
  assert.deepEqual(forwardOf(endpoint), { connected: true, passed: 7, dropped: 0 })
  assert.equal(redis.guests.length, 1)
})

test('a call cut in two at any place is passed on as the same bytes', async (t) => {
  const { redis, endpoint } = await openScene(t)
  const said = Buffer.concat([
    callBytes,
    request('GET', 'x'),
    KEYS,
    event,
    request('CLIENT', 'LIST'),
    Buffer.from('\r\n'),
    event,
  ])
  const wanted = Buffer.concat([callBytes, KEYS, event, event])
  for (let at = 1; at < said.length; at += 3) {
    const client = await endpoint.join()
    client.send(said.subarray(0, at))
    for (let i = 0; i < 3; i++) await new Promise(setImmediate)
    client.send(said.subarray(at))
    await until(() => client.heard.endsWith('+OK\r\n:1\r\n'), 'all replies')
    const guest = redis.guests.at(-1)!
    await until(() => guest.said.length >= wanted.length, 'all that is passed on')
    assert.deepEqual(guest.said, wanted, `cut at ${at}`)
    client.socket.destroy()
  }
})

test('each connection of coturn has one of its own, opened when it is needed and closed with it', async (t) => {
  const { redis, endpoint } = await openScene(t)
  const [a, b, idle] = [await endpoint.join(), await endpoint.join(), await endpoint.join()]
  for (let i = 0; i < 100; i++) {
    await tells(a, request('publish', 'from', `a${i}`))
    await tells(b, request('publish', 'from', `b${i}`))
  }
  await isSettled(endpoint, 200)
  await idle.stays()
  assert.deepEqual(
    redis.guests.map(({ commands }) => commands.slice(1)),
    ['a', 'b'].map((name) => Array.from({ length: 100 }, (_, i) => `publish from ${name}${i}`)),
  )
  a.socket.destroy()
  await until(() => redis.guests[0]!.closed, 'the end of the one')
  await tells(b, event)
  await isSettled(endpoint, 201)
  assert.equal(redis.guests[1]!.closed, false)
})

test('what coturn says last, before it closes, is passed on', async (t) => {
  const { redis, endpoint } = await openScene(t)
  const client = await endpoint.join()
  client.send(callBytes)
  client.socket.end()
  await isSettled(endpoint, 6)
  assert.equal(forwardOf(endpoint).passed, 6)
  await until(() => redis.guests[0]!.closed, 'the end of it')
  assert.deepEqual(redis.guests[0]!.said, callBytes)
})

test('nothing of a stranger is passed on, and nothing that was refused', async (t) => {
  const { redis, endpoint } = await openScene(t)
  const stranger = await endpoint.connect()
  stranger.send(Buffer.concat([event, request('set', 'a', 'b'), request('AUTH', 'wrong'), event]))
  await until(() => stranger.heard.length > 100, 'refusals')
  const client = await endpoint.connect()
  const before = [event, request('set', 'before', 'password'), request('HELLO', '2', 'AUTH', 'x', 'wrong')]
  const refused = [
    request('FLUSHALL'),
    request('SHUTDOWN'),
    request('publish', 'only a channel'),
    request('publish', 'a', 'b', 'c'),
    request('HELLO', '2'),
    request('HELLO', '3'),
    request('AUTH', 'wrong'),
    request('AUTH', 'tok1'),
    request('CLIENT', 'REPLY', 'OFF'),
  ]
  client.send(Buffer.concat([...before, request('AUTH', 'tok1'), event, ...refused, event, request('QUIT'), event]))
  await client.isClosed()
  await isSettled(endpoint, 2)
  await until(() => redis.guests[0]!.closed, 'the end of it')
  assert.deepEqual(redis.guests[0]!.said, Buffer.concat([event, event]))
  assert.equal(redis.guests.length, 1)
})

test('the target’s own user, password and database: said first; coturn’s SELECT is left out', async (t) => {
  const { redis, endpoint } = await openScene(t, { username: 'tee', password: 'pa ss', database: 5 })
  const client = await endpoint.join()
  client.send(request('select', '2'), event)
  await isSettled(endpoint, 1)
  assert.deepEqual(redis.guests[0]!.commands, ['AUTH tee pa ss', 'SELECT 5', 'PING', EVENT])
  assert.deepEqual(forwardOf(endpoint), { connected: true, passed: 1, dropped: 0 })
})
test('stopping passes on what was read, and closes every connection', async (t) => {
  const { redis, endpoint } = await openScene(t)
  const clients: Client[] = [await endpoint.join(), await endpoint.join()]
  for (const client of clients) await tells(client, event)
  await isSettled(endpoint, 2)
  redis.answer = () => {
    setTimeout(() => redis.guests[0]!.socket.write(':1\r\n'), 100)
    return null
  }
  await tells(clients[0]!, event)
  await endpoint.stop()
  await until(() => redis.guests.every(({ closed }) => closed), 'the end of all')
  assert.equal(forwardOf(endpoint).passed, 3)
})

test('stopping does not wait longer than a second for a Redis that does not answer', async (t) => {
  const { redis, endpoint } = await openScene(t)
  redis.answer = () => null
  await tells(await endpoint.join(), event)
  const began = performance.now()
  await endpoint.stop()
  const took = performance.now() - began
  assert.ok(took < 3000, `${took} ms`)
  assert.deepEqual(forwardOf(endpoint).dropped, 1)
  await until(() => redis.guests.every(({ closed }) => closed), 'the end of all')
})

test('a target that is this meter itself is noticed, and nothing goes in circles', async (t) => {
  const free = createServer().listen(0, '127.0.0.1')
  await once(free, 'listening')
  const { port } = free.address() as { port: number }
  free.close()
  await once(free, 'close')
  const target = { host: '127.0.0.1', port, tls: false, username: null, password: 'tok1', database: null }
  const endpoint = await openEndpoint(t, [{}], {}, { port, forward: target })
  await tells(await endpoint.join(), event)
  await isSettled(endpoint, 1)
  assert.deepEqual(whysOf(endpoint), ['ERR this is the meter itself; nothing can be passed on to it'])
  assert.deepEqual(forwardOf(endpoint), { connected: false, passed: 0, dropped: 1 })
  assert.equal(endpoint.lines.length, 1)
})

test('without a target nothing is passed on', async (t) => {
  const endpoint = await openEndpoint(t)
  await tells(await endpoint.join(), event)
  assert.equal(endpoint.source.status().forward, null)
})
