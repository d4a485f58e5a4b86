import assert from 'node:assert/strict'
import { test } from 'node:test'
import { request, tells, until } from './resp-endpoint.ts'
import { event, FakeRedis, forwardOf, isSettled, KEYS, openScene, plainAnswer, status, whysOf } from './tee-redis.ts'

const stale = (count: number) =>
  Array.from({ length: count }, (_, i) => `turn/user/bob/allocation/${String(i).padStart(18, '0')}/status`)
const array = (words: readonly string[]) =>
  `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word, 'latin1')}\r\n${word}\r\n`).join('')}`
const deletedIn = (redis: FakeRedis) =>
  redis.guests.flatMap(({ commands }) =>
    commands.filter((text) => text.startsWith('DEL ')).map((text) => text.slice(4)),
  )

test('[R32] a coturn starts: it sees no keys, and what a former one has left in that Redis is deleted there', async (t) => {
  const keys = [...stale(50), 'turn/user/caf\u00e9\xff/allocation/000000000000000007/status']
  const redis = await FakeRedis.start(t, (words) => (words[0] === 'keys' ? array(keys) : plainAnswer(words)))
  const { endpoint } = await openScene(t, {}, redis)
  const starter = await endpoint.join()
  starter.send(Buffer.concat([request('select', '0'), KEYS]))
  starter.socket.end()
  await starter.hears('+OK\r\n*0\r\n')
  await until(() => deletedIn(redis).length === keys.length, 'all of them deleted')
  assert.deepEqual(deletedIn(redis).sort(), keys.toSorted())
  await until(() => redis.guests[0]!.closed, 'the end of the connection')
  // What fettle itself deletes is none of coturn's commands.
  assert.deepEqual(forwardOf(endpoint), { connected: true, passed: 2, dropped: 0 })
})

test('the reply to KEYS may come in any pieces, and other replies around it', async (t) => {
  const keys = stale(3)
  const redis = await FakeRedis.start(t, () => null)
  const { endpoint } = await openScene(t, {}, redis)
  const client = await endpoint.join()
  client.send(Buffer.concat([event, KEYS, event]))
  await until(() => redis.guests[0]?.commands.length === 4, 'the commands')
  for (const letter of `+PONG\r\n:1\r\n${array(keys)}:0\r\n`) {
    redis.guests[0]!.socket.write(letter, 'latin1')
    await new Promise(setImmediate)
  }
  await until(() => deletedIn(redis).length === 3, 'all of them deleted')
  assert.deepEqual(deletedIn(redis).sort(), keys)
  assert.equal(forwardOf(endpoint).passed, 3)
})

test('what the new coturn has set while KEYS was under way stays', async (t) => {
  const redis = await FakeRedis.start(t, (words) => (words[0] === 'keys' ? null : plainAnswer(words)))
  const { endpoint } = await openScene(t, {}, redis)
  const keys = stale(4)
  const relay = await endpoint.join()
  const set = async (key: string) => {
    relay.send(request('set', key, status))
    await relay.hears('+OK\r\n')
  }
  await set(keys[0]!)
  const starter = await endpoint.join()
  starter.send(KEYS)
  await starter.hears('*0\r\n')
  await set(keys[1]!)
  await until(() => redis.guests.some(({ commands }) => commands.some((text) => text.startsWith('keys'))), 'KEYS')
  redis.guests.find(({ commands }) => commands.some((text) => text.startsWith('keys')))!.socket.write(array(keys))
  await until(() => deletedIn(redis).length === 3, 'the others deleted')
  await isSettled(endpoint, 3)
  assert.deepEqual(deletedIn(redis).sort(), [keys[0], keys[2], keys[3]])
  await tells(starter, event)
  await isSettled(endpoint, 4)
  // What it has set is a former coturn's when the next one starts.
  redis.answer = (words) => (words[0] === 'keys' ? array([keys[1]!]) : plainAnswer(words))
  starter.send(KEYS)
  await starter.hears('*0\r\n')
  await until(() => deletedIn(redis).length === 4, 'the last one deleted')
  assert.equal(deletedIn(redis).at(-1), keys[1])
})

test('KEYS for anything else deletes nothing', async (t) => {
  const redis = await FakeRedis.start(t, (words) => (words[0] === 'KEYS' ? array(stale(3)) : plainAnswer(words)))
  const { endpoint } = await openScene(t, {}, redis)
  const client = await endpoint.join()
  for (const words of [['KEYS', '*'], ['KEYS', 'turn/*'], ['KEYS']]) {
    client.send(request(...words))
    await client.hears('*0\r\n')
  }
  await tells(client, event)
  await isSettled(endpoint, 4)
  assert.deepEqual(deletedIn(redis), [])
})

test('keys are deleted a little at a time, and no more than 100000 wait for it; what is beyond is told', async (t) => {
  const keys = stale(125_000)
  const redis = await FakeRedis.start(t, (words) => (words[0] === 'keys' ? array(keys) : plainAnswer(words)))
  const { endpoint } = await openScene(t, {}, redis)
  const starter = await endpoint.join()
  starter.send(KEYS)
  await starter.hears('*0\r\n')
  starter.socket.end()
  await until(() => redis.guests[0]?.closed === true, 'the end of it')
  const deleted = new Set(deletedIn(redis)).size
  assert.ok(deleted >= 100_000 && deleted < 120_000, `${deleted} deleted`)
  assert.deepEqual(whysOf(endpoint), ['KEYS: more than 100000 keys are left of a former coturn; the others stay'])
})
