/** The subscriber at a Redis that a test plays, without a store: what it hands on stands as lines of text. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises'
import { createStream, type Stream } from '../src/core/state.ts'
import { type RedisNotice, type RedisSource, redisSource } from '../src/ingest/redis.ts'
import type { RedisTarget } from '../src/ingest/redis-url.ts'
import { lineReader, start, until } from './resp-endpoint.ts'
import { type Answer, FakeRedis, type Guest, path, status } from './tee-redis.ts'

const words = (...list: readonly string[]) =>
  `*${list.length}\r\n${list.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`
const push = (channel: string, message: string) => words('pmessage', 'turn/*', channel, message)

type Texts = Readonly<Record<string, string>>

/** A Redis with these keys; what is said differently stands in `more`, by command. */
function redisWith(keys: Texts = {}, more: Texts = {}): Answer {
  const said: Readonly<Record<string, (args: readonly string[]) => string>> = {
    PSUBSCRIBE: () => '*3\r\n$10\r\npsubscribe\r\n$6\r\nturn/*\r\n:1\r\n',
    PING: () => '+PONG\r\n',
    CONFIG: ([, name]) => words(name!, name === 'tcp-keepalive' ? '300' : '0'),
    SCAN: ([cursor]) => scanned(Object.keys(keys), cursor!),
    GET: ([key]) => (keys[key!] === undefined ? '$-1\r\n' : bulk(keys[key!]!)),
  }
  return ([command = '', ...args]) => more[command] ?? said[command]?.(args) ?? '+OK\r\n'
}

const bulk = (text: string) => `$${Buffer.byteLength(text)}\r\n${text}\r\n`

/** One key with each SCAN. */
function scanned(keys: readonly string[], cursor: string): string {
  const at = Number(cursor)
  return `*2\r\n${bulk(String(at + 1 < keys.length ? at + 1 : 0))}${words(...keys.slice(at, at + 1))}`
}

interface Scene {
  readonly redis: FakeRedis
  readonly source: RedisSource
  readonly lines: string[]
  readonly notices: RedisNotice[]
  /** Who was tapped, and how many events. */
  readonly taps: string[]
  readonly clock: { now: number }
  readonly stream: Stream
  /** Lets a quarter of a second pass. */
  look(times?: number): void
  /** The connection that subscribes now. */
  subscriber(): Guest
  told(kind: RedisNotice['kind'], count?: number): Promise<RedisNotice>
}

async function open(
  t: TestContext,
  answer: Answer = redisWith(),
  { target = {}, known = {} }: { target?: Partial<RedisTarget>; known?: Partial<Stream> } = {},
): Promise<Scene> {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const redis = await FakeRedis.start(t, answer)
  const clock = { now: start }
  const notices: RedisNotice[] = []
  const lines: string[] = []
  const taps: string[] = []
  const source = redisSource({
    target: redis.target(target),
    now: () => clock.now,
    on: (notice) => notices.push(notice),
    tap: (name, at, batch) => taps.push(`${name} ${at} ${batch.length}`),
  })
  const stream = { ...createStream(1, source.claims[0]!.name, false), ...known }
  await source.start([stream], lineReader([stream], lines))
  t.after(async () => {
    await source.stop()
    await turn()
  })
  const told = (kind: RedisNotice['kind'], count = 1) =>
    until(() => notices.filter((notice) => notice.kind === kind).length >= count, `${count} x ${kind}`).then(
      () => notices.filter((notice) => notice.kind === kind)[count - 1]!,
    )
  return {
    redis,
    source,
    lines,
    notices,
    taps,
    clock,
    stream,
    look(times = 1) {
      for (let i = 0; i < times; i++) t.mock.timers.tick(250)
    },
    subscriber: () => redis.guests.findLast(({ commands }) => commands.some((one) => one.startsWith('PSUBSCRIBE')))!,
    told,
  }
}

const whys = ({ notices }: Scene) => notices.flatMap((notice) => (notice.kind === 'redis lost' ? [notice.why] : []))
const eventsOf = ({ lines }: Scene) => lines.map((line) => line.replace(/^\S+ boot 0: /, ''))

test('[R33] what is published under turn/ is handed on, both forms of a channel, nothing else', async (t) => {
  const scene = await open(t)
  await scene.told('redis connected')
  assert.equal(scene.source.claims[0]!.name, `127.0.0.1:${scene.redis.port}`)
  assert.deepEqual(scene.source.claims[0], { ...scene.source.claims[0], source: 'redis', bootAware: false })
  const realm = path.replace('turn/', 'turn/realm/example.org/')
  scene
    .subscriber()
    .socket.write(
      push(`${path}/status`, status) +
        push(`${realm}/traffic`, 'rcvp=1, rcvb=2, sentp=3, sentb=4') +
        push('turn/of/somebody/else', 'x') +
        push(`${path}/status`, 'x'.repeat(100_000)) +
        push(`${path}/status`, 'deleted'),
    )
  await until(() => scene.lines.length >= 5, 'five events')
  assert.deepEqual(eventsOf(scene), [
    `opened ${path} 600`,
    `traffic ${realm} 1 2 3 4`,
    'malformed ',
    'malformed ',
    `deleted ${path}`,
  ])
  const [server] = scene.source.status().servers
  assert.deepEqual([server!.kind, server!.connections, server!.lastEventAt], ['redis', 1, start])
})

test('what is heard is shown to whoever watches, while somebody does', async (t) => {
  const scene = await open(t)
  await scene.told('redis looked')
  const { socket } = scene.subscriber()
  socket.write(push(`${path}/status`, status))
  await until(() => scene.lines.length === 1, 'an event')
  assert.deepEqual([scene.taps, scene.source.tapping], [[], false])
  scene.source.tapping = true
  socket.write(push(`${path}/status`, 'deleted'))
  await until(() => scene.lines.length === 2, 'another event')
  assert.deepEqual([scene.taps, scene.source.tapping], [[`${scene.stream.name} ${start} 3`], true])
})

test('[R33] a lost connection is a gap from the last answered PING until the subscription stands again', async (t) => {
  const scene = await open(t)
  await scene.told('redis looked')
  scene.clock.now = start + 1000
  scene.look(4)
  await until(() => scene.subscriber().commands.includes('PING'), 'a PING')
  scene.clock.now = start + 1500
  scene.subscriber().socket.write(push(`${path}/status`, status))
  await until(() => scene.lines.length === 1, 'the event')
  scene.subscriber().socket.destroy()
  await scene.told('redis lost')
  assert.deepEqual(whys(scene), ['the connection was closed'])
  assert.deepEqual(eventsOf(scene).slice(1), ['deaf'])
  assert.equal(scene.source.status().servers[0]!.connections, 0)
  scene.clock.now = start + 9000
  scene.look(2)
  await scene.told('redis connected', 2)
  assert.deepEqual(eventsOf(scene).slice(2), ['gap connection 8000 ms'])
  const gap = scene.notices.find((notice) => notice.kind === 'gap')
  assert.deepEqual(gap, { kind: 'gap', server: scene.stream.name, why: 'connection', ms: 8000 })
})

test('[R33] a meter that starts has missed what was since its last commit, until the subscription stands', async (t) => {
  const scene = await open(t, () => null, { known: { heardAt: start - 5000 } })
  assert.deepEqual(eventsOf(scene), ['deaf'])
  scene.clock.now = start + 10_000
  scene.look(40)
  assert.deepEqual(whys(scene), ['no answer for 10 s'])
  scene.redis.answer = redisWith()
  scene.look(2)
  await scene.told('redis connected')
  assert.deepEqual(eventsOf(scene), ['deaf', 'gap restart 15000 ms'])
})

test('[R33] a Redis that says nothing more is left after 15 s, which is told once', async (t) => {
  const scene = await open(t)
  await scene.told('redis looked')
  scene.redis.answer = () => null
  for (let i = 0; i < 60; i++) {
    scene.look()
    await turn()
  }
  assert.deepEqual(whys(scene), ['no answer for 15 s'])
  for (let i = 0; i < 200; i++) {
    scene.look()
    if (i % 10 === 0) await wait(2)
  }
  assert.deepEqual(whys(scene), ['no answer for 15 s', 'no answer for 10 s'])
})

test('[R33] tries again after 0.5 s, then after twice as long each time, up to 10 s', async (t) => {
  const scene = await open(t, () => 'HTTP/1.1 400 Bad Request\r\n\r\n')
  await scene.told('redis lost')
  const looks: number[] = []
  for (let since = 1; looks.length < 7; since++) {
    const tries = scene.redis.guests.length
    scene.look()
    await wait(5)
    if (scene.redis.guests.length === tries) continue
    looks.push(since)
    since = 0
  }
  // Some looks may come before the end of the try before.
  for (const [i, expected] of [2, 4, 8, 16, 32, 40, 40].entries()) {
    assert.ok(looks[i]! >= expected && looks[i]! <= expected + 5, looks.join(' '))
  }
})

const whyOf = ({ source }: Scene) => source.status().redis!.why

const refusals: readonly (readonly [what: string, answer: Answer, target: Partial<RedisTarget>, why: string])[] = [
  [
    'a wrong password, which is never repeated',
    redisWith({}, { AUTH: '-WRONGPASS secret is wrong\r\n', PSUBSCRIBE: '-NOAUTH Authentication required.\r\n' }),
    { username: 'meter', password: 'secret' },
    'AUTH was refused: WRONGPASS',
  ],
  [
    'a password that is missing',
    redisWith({}, { PSUBSCRIBE: '-NOAUTH Authentication required.\r\n' }),
    {},
    'NOAUTH Authentication required.',
  ],
  [
    'no right to the channels',
    redisWith({}, { PSUBSCRIBE: '-NOPERM this user has no permissions\r\n' }),
    {},
    'NOPERM this user has no permissions',
  ],
  ['a web server', () => 'HTTP/1.1 400 Bad Request\r\n\r\n', {}, 'what answers is no Redis'],
  ['a Redis that subscribes to nothing', redisWith({}, { PSUBSCRIBE: '+OK\r\n' }), {}, 'what answers is no Redis'],
  ['one that pushes before that', redisWith({}, { PSUBSCRIBE: push('turn/a', 'b') }), {}, 'what answers is no Redis'],
]

for (const [what, answer, target, why] of refusals) {
  test(`[R33] told in one clear line: ${what}`, async (t) => {
    const scene = await open(t, answer, { target })
    await scene.told('redis lost')
    scene.look(2)
    await until(() => scene.redis.guests.length > 1, 'another try')
    assert.deepEqual(whys(scene), [why])
    assert.deepEqual(scene.lines, [])
    assert.equal(whyOf(scene), why)
  })
}

test('[R33] user, password and database are said, on both connections', async (t) => {
  const scene = await open(t, redisWith(), { target: { username: 'meter', password: 'pässword', database: 3 } })
  await scene.told('redis looked')
  assert.equal(scene.stream.name, `127.0.0.1:${scene.redis.port}/3`)
  const [first, second] = scene.redis.guests
  const auth = `AUTH meter ${Buffer.from('pässword').toString('latin1')}`
  assert.deepEqual(first!.commands, [auth, 'PSUBSCRIBE turn/*'])
  assert.deepEqual(second!.commands.slice(0, 2), [auth, 'SELECT 3'])
})

test('[R34] status keys are looked at by SCAN when the subscription stands; what is published meanwhile stands over them', async (t) => {
  const paths = [1, 2, 3].map((n) => path.replace(/1$/, String(n)))
  const keys = Object.fromEntries(paths.map((one) => [`${one}/status`, status.replace('new', 'refreshed')]))
  const answer = redisWith({ ...keys, 'turn/x/allocation/y/status': 'nonsense' })
  const scene = await open(t, (said) => {
    // The second is deleted while the keys are looked at, which is heard before its key is.
    if (said[0] === 'GET' && said[1] === `${paths[0]}/status`) {
      scene.subscriber().socket.write(push(`${paths[1]}/status`, 'deleted'))
    }
    return answer(said)
  })
  const looked = await scene.told('redis looked')
  assert.deepEqual(looked, { kind: 'redis looked', redis: scene.stream.name, keys: 2 })
  assert.deepEqual(eventsOf(scene).sort(), [
    `deleted ${paths[1]}`,
    `present ${paths[0]} 600`,
    `present ${paths[2]} 600`,
  ])
  const asked = scene.redis.guests.flatMap(({ commands }) => commands)
  assert.equal(asked.filter((one) => one.startsWith('SCAN ')).length, 4)
  assert.ok(!asked.some((one) => /^KEYS/i.test(one)))
})

test('[R34, R35] what may not be looked at is told once, and the events are heard all the same', async (t) => {
  const no = '-NOPERM this user has no permissions to run it\r\n'
  const scene = await open(t, redisWith({}, { CONFIG: no, SCAN: no, PING: no }))
  await scene.told('redis unseen', 2)
  const unseen = scene.notices.flatMap((notice) => (notice.kind === 'redis unseen' ? [[notice.what, notice.why]] : []))
  assert.deepEqual(unseen, [
    ['settings', 'CONFIG GET is refused'],
    ['keys', 'NOPERM this user has no permissions to run it'],
  ])
  assert.deepEqual(scene.source.status().redis, { why: null, warnings: [] })
  scene.look(4)
  scene.subscriber().socket.write(push(`${path}/status`, 'deleted'))
  await until(() => scene.lines.length === 1, 'the event')
  for (let i = 0; i < 250; i++) {
    scene.look()
    await wait(1)
  }
  assert.equal(scene.notices.filter(({ kind }) => kind === 'redis unseen').length, 2)
  assert.deepEqual(whys(scene), [])
})

test('[R35] a setting that costs events is told until it is put right', async (t) => {
  const scene = await open(t, redisWith({}, { CONFIG: words('timeout', '60') }))
  await scene.told('redis warning')
  assert.deepEqual(
    scene.source.status().redis!.warnings.map(({ code }) => code),
    ['redis-timeout'],
  )
  scene.redis.answer = redisWith()
  scene.look(240)
  await until(() => scene.source.status().redis!.warnings.length === 0, 'no warning any more')
  assert.equal(scene.notices.filter(({ kind }) => kind === 'redis warning').length, 1)
})
