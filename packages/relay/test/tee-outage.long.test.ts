import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Endpoint, request, tells, until } from './resp-endpoint.ts'
import {
  call,
  callBytes,
  callReplies,
  EVENT,
  event,
  FakeRedis,
  forwardOf,
  isSettled,
  openScene,
  plainAnswer,
  whysOf,
} from './tee-redis.ts'

/** What was dropped, each time that it was told to work again. */
const again = ({ notices }: Endpoint) =>
  notices.flatMap((notice) => (notice.kind === 'forward again' ? [notice.dropped] : []))

test('a Redis that has gone: nobody waits for it, what is said meanwhile is dropped, and then it goes on', async (t) => {
  const { redis, endpoint, look } = await openScene(t, { password: 'secret' })
  const client = await endpoint.join()
  client.send(request('select', '7'))
  await client.hears('+OK\r\n')
  await tells(client, event)
  await isSettled(endpoint, 2)
  await redis.stop()
  await until(() => {
    look()
    return !forwardOf(endpoint).connected
  }, 'the loss noticed')
  await tells(client, ...call.slice(1, 4))
  assert.equal(forwardOf(endpoint).dropped, 3)
  look(2)
  await until(() => whysOf(endpoint).length > 0, 'a word about it')
  for (let i = 0; i < 8; i++) {
    look()
    await new Promise(setImmediate)
  }
  assert.deepEqual(whysOf(endpoint), ['cannot connect: ECONNREFUSED'])
  await redis.listen()
  await until(() => {
    look()
    return forwardOf(endpoint).connected
  }, 'the connection again')
  await until(() => again(endpoint).length > 0, 'a word about that')
  await tells(client, event)
  await isSettled(endpoint, 6)
  assert.deepEqual(redis.guests.at(-1)!.commands, ['AUTH secret', 'SELECT 7', 'PING', EVENT])
  assert.equal(forwardOf(endpoint).passed, 3)
  assert.equal(endpoint.lines.length, 4)
  await redis.stop()
  await until(() => {
    look(4)
    return whysOf(endpoint).length > 1
  }, 'the second outage told')
  assert.deepEqual(again(endpoint), [3], 'what was dropped, told once')
  assert.equal(client.closed, false)
})

test('a Redis that nobody has asked for minutes has its full minute for the next answer', async (t) => {
  const { redis, endpoint, look } = await openScene(t)
  const client = await endpoint.join()
  await tells(client, event)
  await isSettled(endpoint, 1)
  look(300)
  redis.answer = () => null
  await tells(client, event)
  await until(() => redis.guests[0]!.commands.length === 3, 'the second event')
  look(200)
  assert.deepEqual(whysOf(endpoint), [])
  look(40)
  assert.deepEqual(whysOf(endpoint), ['no answer for 60 s'])
})

test('the time between two tries grows from half a second to ten', async (t) => {
  const redis = await FakeRedis.start(t)
  const { endpoint, look } = await openScene(t, {}, redis)
  // Takes connections and closes them at once.
  redis.answer = () => {
    redis.guests.at(-1)!.socket.destroy()
    return null
  }
  const client = await endpoint.join()
  await tells(client, event)
  const waits: number[] = []
  for (let tries = 1; tries <= 7; tries++) {
    await until(() => redis.guests.length === tries && redis.guests.at(-1)!.closed, `try ${tries}`)
    await until(() => forwardOf(endpoint).dropped >= 1, 'the loss')
    for (let i = 0; i < 20; i++) await new Promise(setImmediate)
    let looks = 0
    while (redis.guests.length === tries) {
      look()
      looks++
      for (let i = 0; i < 20; i++) await new Promise(setImmediate)
    }
    waits.push(looks / 4)
  }
  assert.deepEqual(waits, [0.5, 1, 2, 4, 8, 10, 10])
  assert.deepEqual(whysOf(endpoint), ['cannot connect: the connection was closed'])
  redis.answer = plainAnswer
  await until(() => {
    look()
    return forwardOf(endpoint).connected
  }, 'the connection')
  redis.guests.at(-1)!.socket.destroy()
  const tries = redis.guests.length
  await until(() => redis.guests.at(-1)!.closed, 'its end')
  for (let i = 0; i < 20; i++) await new Promise(setImmediate)
  look(2)
  await until(() => redis.guests.length === tries + 1, 'a try after half a second again')
})

test('[R32] a Redis that takes nothing: coturn and the meter go on, a megabyte waits, the rest is dropped whole', async (t) => {
  const { redis, endpoint } = await openScene(t)
  const client = await endpoint.join()
  redis.answer = () => null
  await tells(client, event)
  await until(() => redis.guests.length > 0 && redis.guests[0]!.commands.length > 1, 'the first event')
  redis.guests[0]!.socket.pause()
  const heard = endpoint.lines.length
  const block = Buffer.concat(Array.from({ length: 500 }, () => event))
  for (let i = 0; i < 60; i++) {
    client.send(block)
    await client.hears(':1\r\n'.repeat(500))
  }
  assert.equal(endpoint.lines.length - heard, 30_000)
  const { dropped } = forwardOf(endpoint)
  const waiting = 30_000 - dropped
  assert.ok(waiting * event.length < 1_000_000 && waiting * event.length > 850_000, `${waiting} commands wait`)
  redis.guests[0]!.socket.resume()
  await until(() => redis.guests[0]!.commands.length === waiting + 2, 'what waited')
  redis.guests[0]!.socket.write(`+PONG\r\n${':1\r\n'.repeat(waiting + 1)}`)
  await isSettled(endpoint, 30_001)
  assert.deepEqual(forwardOf(endpoint), { connected: true, passed: waiting + 1, dropped })
  redis.answer = plainAnswer
  await tells(client, event)
  await isSettled(endpoint, 30_002)
  assert.equal(forwardOf(endpoint).dropped, dropped)
  const [, ...commands] = redis.guests[0]!.commands
  assert.deepEqual(new Set(commands), new Set([EVENT]))
})

test('all connections together let no more wait than 64 MB', async (t) => {
  const { redis, endpoint, look } = await openScene(t)
  redis.answer = () => null
  const big = request('publish', 'x', 'y'.repeat(15_000))
  const block = Buffer.concat(Array.from({ length: 60 }, () => big))
  let sent = 0
  for (let i = 0; i < 80; i++) {
    const client = await endpoint.join()
    await tells(client, event)
    client.send(block)
    await client.hears(':1\r\n'.repeat(60))
    sent += 60
  }
  const waiting = (sent - forwardOf(endpoint).dropped) * big.length
  assert.ok(waiting > 60e6 && waiting < 64e6, `${waiting} bytes wait`)
  // All of it is given up with the connections, and there is room again.
  await redis.stop()
  const { dropped } = forwardOf(endpoint)
  await until(() => forwardOf(endpoint).dropped > dropped, 'the loss')
  redis.answer = plainAnswer
  await redis.listen()
  await until(() => {
    look()
    return forwardOf(endpoint).connected
  }, 'the connections again')
  const before = forwardOf(endpoint)
  const next = await endpoint.join()
  next.send(block)
  await next.hears(':1\r\n'.repeat(60))
  await until(() => forwardOf(endpoint).passed === before.passed + 60, 'all of the next block')
  assert.equal(forwardOf(endpoint).dropped, before.dropped)
})

test('a Redis that does not answer for a minute is given up, one that is slow is not', async (t) => {
  const { redis, endpoint, look } = await openScene(t)
  const client = await endpoint.join()
  await tells(client, event)
  await isSettled(endpoint, 1)
  redis.answer = () => null
  await tells(client, event)
  await until(() => redis.guests[0]!.commands.length === 3, 'the second')
  look(239)
  await client.stays()
  assert.equal(redis.guests[0]!.closed, false)
  assert.equal(forwardOf(endpoint).dropped, 0)
  look(1)
  assert.deepEqual(forwardOf(endpoint), { connected: false, passed: 1, dropped: 1 })
  assert.deepEqual(whysOf(endpoint), ['no answer for 60 s'])
})

test('one that takes connections and says nothing is tried again after 10 s', async (t) => {
  const redis = await FakeRedis.start(t, () => null)
  const { endpoint, look } = await openScene(t, {}, redis)
  const client = await endpoint.join()
  await tells(client, event)
  await until(() => redis.guests.length === 1 && redis.guests[0]!.commands.length === 2, 'the first try')
  look(39)
  assert.deepEqual(whysOf(endpoint), [])
  look(1)
  assert.deepEqual(whysOf(endpoint), ['no answer for 10 s'])
  assert.deepEqual(forwardOf(endpoint), { connected: false, passed: 0, dropped: 1 })
  look(2)
  await until(() => redis.guests.length === 2, 'the second try')
})

const refusals: readonly (readonly [what: string, reply: string, why: string])[] = [
  ['a wrong password', '-WRONGPASS invalid username-password pair or user is disabled.', 'AUTH was refused: WRONGPASS'],
  [
    'a reply that repeats the password',
    '-ERR unknown command `AUTH`, with args beginning with: `tee`, `secret`, ',
    'AUTH was refused: ERR',
  ],
]

for (const [what, reply, why] of refusals) {
  test(`told once, without a secret: ${what}`, async (t) => {
    const redis = await FakeRedis.start(t, ([word]) => (word === 'AUTH' ? `${reply}\r\n` : '-NOAUTH no\r\n'))
    const { endpoint, look } = await openScene(t, { username: 'tee', password: 'secret' }, redis)
    const clients = [await endpoint.join(), await endpoint.join()]
    for (const client of clients) await tells(client, event)
    await isSettled(endpoint, 2)
    for (let i = 0; i < 12; i++) {
      look()
      await new Promise(setImmediate)
    }
    await until(() => redis.guests.length > 3, 'further tries')
    for (const client of clients) await tells(client, event)
    await isSettled(endpoint, 4)
    assert.deepEqual(whysOf(endpoint), [why])
    assert.deepEqual(forwardOf(endpoint), { connected: false, passed: 0, dropped: 4 })
  })
}

const greetings: readonly (readonly [reply: string, why: string])[] = [
  ['-NOAUTH Authentication required.', 'NOAUTH Authentication required.'],
  ['-LOADING Redis is loading the dataset in memory', 'LOADING Redis is loading the dataset in memory'],
  ['HTTP/1.1 400 Bad Request', 'what answers is no Redis'],
  ['\x1b[31m', 'what answers is no Redis'],
  ['-DENIED \x1b[31m\u00e9 with args beginning with: x', 'DENIED ?[31m?'],
]

for (const [reply, why] of greetings) {
  test(`cannot be used: ${JSON.stringify(reply)}`, async (t) => {
    const redis = await FakeRedis.start(t, () => `${reply}\r\n`)
    const { endpoint } = await openScene(t, {}, redis)
    await tells(await endpoint.join(), event)
    await isSettled(endpoint, 1)
    assert.deepEqual(whysOf(endpoint), [why])
    assert.deepEqual(forwardOf(endpoint), { connected: false, passed: 0, dropped: 1 })
  })
}

test('a user who may not PING may yet PUBLISH', async (t) => {
  const redis = await FakeRedis.start(t, (words) => (words[0] === 'PING' ? '-NOPERM no ping\r\n' : plainAnswer(words)))
  const { endpoint } = await openScene(t, {}, redis)
  await tells(await endpoint.join(), event)
  await isSettled(endpoint, 1)
  assert.deepEqual(forwardOf(endpoint), { connected: true, passed: 1, dropped: 0 })
  assert.deepEqual(whysOf(endpoint), [])
})

test('a command that is refused there counts as dropped, is told once, and the others go on', async (t) => {
  const redis = await FakeRedis.start(t, (words) =>
    words[0] === 'set' ? '-NOPERM this user has no permissions to run the set command\r\n' : plainAnswer(words),
  )
  const { endpoint } = await openScene(t, {}, redis)
  const client = await endpoint.join()
  for (let i = 0; i < 3; i++) {
    client.send(callBytes)
    await client.hears(callReplies)
  }
  await isSettled(endpoint, 18)
  assert.deepEqual(forwardOf(endpoint), { connected: true, passed: 15, dropped: 3 })
  assert.deepEqual(whysOf(endpoint), ['NOPERM this user has no permissions to run the set command'])
})

test('TLS is spoken where it is asked for, and a target without it is told', async (t) => {
  const redis = await FakeRedis.start(t, () => '-ERR no\r\n')
  const { endpoint } = await openScene(t, { tls: true }, redis)
  await tells(await endpoint.join(), event)
  await until(() => redis.guests[0] !== undefined && redis.guests[0].bytes.length > 5, 'its first bytes')
  // A handshake, by RFC 8446.
  assert.equal(redis.guests[0]!.bytes[0], 22)
  redis.guests[0]!.socket.end('-ERR unknown command\r\n')
  await isSettled(endpoint, 1)
  assert.equal(whysOf(endpoint).length, 1)
  assert.match(whysOf(endpoint)[0]!, /^cannot connect: EPROTO, perhaps no TLS is spoken there$/)
})
