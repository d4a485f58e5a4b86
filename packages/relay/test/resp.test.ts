import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { createStream } from '../src/core/state.ts'
import { respSource } from '../src/ingest/resp.ts'
import { Client, openEndpoint, request, until } from './resp-endpoint.ts'

const path = 'turn/realm/example.org/user/1767229200:alice/allocation/000000000000000001'
const status = 'lifetime=600, type=UDP, local=192.0.2.1:3478, remote=198.51.100.7:40000, ssl=NONE, cipher=NONE'
const counters = 'rcvp=10, rcvb=2000, sentp=11, sentb=2100'
const WRONG = '-WRONGPASS invalid username-password pair or user is disabled.\r\n'
const NOAUTH = '-NOAUTH Authentication required.\r\n'
const HELLO = /^\*8\r\n(\$\d+\r\n[a-z0-9.]+\r\n){5}:2\r\n\$4\r\nrole\r\n\$6\r\nmaster\r\n$/

/** What coturn says in one call, and what the endpoint answers and hands on. */
const call: readonly (readonly [words: readonly string[], reply: string, line?: string])[] = [
  [['set', `${path}/status`, `new ${status}`], '+OK\r\n'],
  [['publish', `${path}/status`, `new ${status}`], ':1\r\n', `opened ${path} 600`],
  [['publish', '__XXX__', '__YYY__'], ':1\r\n'],
  [['set', `${path}/status`, `refreshed ${status}`], '+OK\r\n'],
  [['publish', `${path}/status`, `refreshed ${status}`], ':1\r\n', `refreshed ${path} 600`],
  [['publish', `${path}/traffic`, counters], ':1\r\n', `traffic ${path} 10 2000 11 2100`],
  [['publish', `${path}/traffic/peer`, counters], ':1\r\n', `trafficPeer ${path} 10 2000 11 2100`],
  [['del', `${path}/status`, ''], ':1\r\n'],
  [['publish', `${path}/status`, 'deleted'], ':1\r\n', `deleted ${path}`],
  [['publish', `${path}/total_traffic`, counters], ':1\r\n', `total ${path} 10 2000 11 2100`],
  [['publish', `${path}/total_traffic/peer`, counters], ':1\r\n', `totalPeer ${path} 10 2000 11 2100`],
]
const callBytes = Buffer.concat(call.map(([words]) => request(...words)))
const callReplies = call.map(([, reply]) => reply).join('')
const callLines = call.flatMap(([, , line]) => (line === undefined ? [] : [`turn1 boot 1: ${line}`]))

test('[R28] a call, request after request: each is answered, each event handed on', async (t) => {
  const endpoint = await openEndpoint(t)
  const client = await endpoint.connect()
  for (const [words, reply] of [[['AUTH', 'tok1'], '+OK\r\n'], [['select', '0'], '+OK\r\n'], ...call] as typeof call) {
    client.send(request(...words))
    await client.hears(reply)
  }
  assert.deepEqual(endpoint.lines, callLines)
})

test('[R28] the same in one piece, with words in any case and in a chunk with the token', async (t) => {
  const endpoint = await openEndpoint(t)
  const client = await endpoint.connect()
  const shouted = Buffer.from(callBytes.toString('latin1').replaceAll('publish', 'PubLISH'), 'latin1')
  client.send(Buffer.concat([request('auth', 'tok1'), request('SELECT', '0'), shouted]))
  await client.hears(`+OK\r\n+OK\r\n${callReplies}`)
  assert.deepEqual(endpoint.lines, callLines)
})

/** Through a socket; the reader alone is cut anywhere in resp-frame.test.ts. */
test('[R28] a call cut in two is the same call', async (t) => {
  const endpoint = await openEndpoint(t)
  for (let at = 1; at < callBytes.length; at += 7) {
    const client = await endpoint.join()
    client.send(callBytes.subarray(0, at))
    // A reply tells that the first half was read by itself; before the first whole request there is none.
    if (at > request(...call[0]![0]).length) await until(() => client.heard.length >= 5, 'the first reply')
    else await new Promise(setImmediate)
    client.send(callBytes.subarray(at))
    await client.hears(callReplies)
    assert.deepEqual(endpoint.lines.splice(0), callLines, `cut at ${at}`)
    client.socket.destroy()
  }
})

test('[R28] a call that drips in byte by byte is the same call', async (t) => {
  const endpoint = await openEndpoint(t)
  const client = await endpoint.join()
  for (const byte of callBytes) {
    client.send(Uint8Array.of(byte))
    await new Promise(setImmediate)
  }
  await client.hears(callReplies)
  assert.deepEqual(endpoint.lines, callLines)
})

const admitted: readonly (readonly [what: string, token: string, sent: Buffer | string, reply: string | RegExp])[] = [
  ['AUTH token', 'tok1', request('AUTH', 'tok1'), '+OK\r\n'],
  ['AUTH user token', 'tok1', request('AUTH', 'default', 'tok1'), '+OK\r\n'],
  ['AUTH token, inline', 'tok1', 'AUTH tok1\r\n', '+OK\r\n'],
  ['HELLO 2 AUTH user token', 'tok1', request('HELLO', '2', 'AUTH', 'default', 'tok1'), HELLO],
  ['AUTH with an empty token, as coturn 4.6.1 without a password', '', request('AUTH', ''), '+OK\r\n'],
  ['nothing, as coturn 4.17 without a password', '', request('select', '0'), '+OK\r\n'],
]

for (const [what, token, sent, reply] of admitted) {
  test(`[R28] let in: ${what}`, async (t) => {
    const endpoint = await openEndpoint(t, [{ token }])
    const client = await endpoint.connect()
    client.send(sent)
    await until(() => client.heard.endsWith('\r\n'), 'a reply')
    if (typeof reply === 'string') assert.equal(client.heard, reply)
    else assert.match(client.heard, reply)
    client.heard = ''
    client.send(callBytes)
    await client.hears(callReplies)
    assert.deepEqual(endpoint.lines, callLines)
  })
}

const wrong: readonly (readonly [what: string, sent: Buffer])[] = [
  ['another token', request('AUTH', 'tok2')],
  ['the token with more behind it', request('AUTH', 'tok1 ')],
  ['the token as user', request('AUTH', 'tok1', '')],
  ['an empty token', request('AUTH', '')],
  ['no token', request('AUTH')],
  ['too much', request('AUTH', 'x', 'y', 'tok1')],
  ['NUL bytes', request('AUTH', '\0\0\0\0')],
  ['16000 letters', request('AUTH', 'x'.repeat(16_000))],
]

for (const [what, sent] of wrong) {
  test(`[R28] a wrong password is refused, the third closes: ${what}`, async (t) => {
    const endpoint = await openEndpoint(t)
    const client = await endpoint.connect()
    for (let i = 0; i < 3; i++) {
      client.send(sent)
      await client.hears(WRONG)
    }
    await client.isClosed()
    assert.deepEqual(
      endpoint.notices.filter(({ kind }) => kind !== 'listening'),
      [{ kind: 'refused', why: 'wrong password', count: 1, peer: '127.0.0.1' }],
    )
  })
}

test('[R28] three tokens in one chunk are not a fourth try', async (t) => {
  const endpoint = await openEndpoint(t)
  const client = await endpoint.connect()
  client.send(Buffer.concat(['a', 'b', 'c', 'tok1'].map((token) => request('AUTH', token))), callBytes)
  await client.isClosed()
  assert.equal(client.heard, WRONG + WRONG + WRONG)
  assert.deepEqual(endpoint.lines, [])
})

test('[R28] before the password nothing is taken and nothing told', async (t) => {
  const endpoint = await openEndpoint(t)
  const client = await endpoint.connect()
  for (const words of [
    ...call.map(([each]) => each),
    ['PING'],
    ['KEYS', '*'],
    ['select', '0'],
    ['HELLO'],
    ['SHUTDOWN'],
  ]) {
    client.send(request(...words))
    await client.hears(NOAUTH)
  }
  assert.deepEqual(endpoint.lines, [])
  assert.equal(endpoint.streams[0]!.boot, 0)
})

test('[R28] a client that never says its password is closed after 10 s', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const endpoint = await openEndpoint(t)
  const silent = await endpoint.connect()
  const member = await endpoint.join()
  const waiting = await endpoint.connect()
  waiting.send(request('PING'))
  await waiting.hears(NOAUTH)
  t.mock.timers.tick(9999)
  for (const client of [silent, member, waiting]) assert.equal(client.closed, false)
  t.mock.timers.tick(1)
  await silent.isClosed()
  await waiting.isClosed()
  member.send(request('PING'))
  await member.hears('+PONG\r\n')
  assert.deepEqual(
    endpoint.notices.flatMap((notice) => (notice.kind === 'refused' ? [notice.why] : [])),
    ['no password within 10 s'],
  )
})

const others: readonly (readonly [sent: Buffer | string, reply: string | RegExp])[] = [
  [request('PING'), '+PONG\r\n'],
  ['PING\r\n', '+PONG\r\n'],
  [request('CLIENT', 'SETNAME', 'x'), '+OK\r\n'],
  [request('keys', 'turn/*/allocation/*/status'), '*0\r\n'],
  [request('HELLO'), HELLO],
  [request('HELLO', '2'), HELLO],
  [request('HELLO', '3'), '-NOPROTO unsupported protocol version\r\n'],
  [request('HELLO', '22'), '-NOPROTO unsupported protocol version\r\n'],
  [request('GET', 'x'), /^-ERR unknown command: this is fettle[^\r\n]*\r\n$/],
  [request('SHUTDOWN'), /^-ERR unknown command[^\r\n]*\r\n$/],
  [request('PUBLISH', 'only a channel'), /^-ERR [^\r\n]*\r\n$/],
  [request('PUBLISH', 'a', 'b', 'c'), /^-ERR [^\r\n]*\r\n$/],
  [request('\0\r\n:1\r\n'), /^-ERR [^\r\n]*\r\n$/],
  [request(''), /^-ERR [^\r\n]*\r\n$/],
  ['GET / HTTP/1.1\r\n', /^-ERR [^\r\n]*\r\n$/],
]

for (const [sent, reply] of others) {
  test(`[R28] answered, and the connection goes on: ${JSON.stringify(sent.toString())}`, async (t) => {
    const endpoint = await openEndpoint(t)
    const client = await endpoint.join()
    client.send(sent)
    await until(() => client.heard.endsWith('\r\n'), 'a reply')
    if (typeof reply === 'string') assert.equal(client.heard, reply)
    else assert.match(client.heard, reply)
    client.heard = ''
    client.send(callBytes)
    await client.hears(callReplies)
    assert.deepEqual(endpoint.lines, callLines)
  })
}

test('empty requests have no reply', async (t) => {
  const endpoint = await openEndpoint(t)
  const client = await endpoint.join()
  client.send('\r\n\n*0\r\n', request('PING'))
  await client.hears('+PONG\r\n')
})

test('QUIT is answered and closes; what stands behind it is not taken', async (t) => {
  const endpoint = await openEndpoint(t)
  const together = await endpoint.join()
  together.send(Buffer.concat([request('QUIT'), callBytes]))
  await together.hears('+OK\r\n')
  const apart = await endpoint.join()
  apart.send(request('QUIT'))
  await apart.hears('+OK\r\n')
  apart.send(callBytes)
  await together.isClosed()
  await apart.isClosed()
  await (await endpoint.join()).isIdle()
  assert.deepEqual(endpoint.lines, [])
})

test('[R1] what is no event of coturn is counted as malformed, or is nobody’s', async (t) => {
  const endpoint = await openEndpoint(t)
  const client = await endpoint.join()
  const channels = [
    `${path}/unknown`,
    `${path}/traffic`,
    'turn/',
    'turn',
    'other/allocation/000000000000000001/status',
    '',
  ]
  client.send(...channels.map((channel) => request('PUBLISH', channel, 'x')))
  await client.hears(':1\r\n'.repeat(channels.length))
  assert.deepEqual(
    endpoint.lines.map((line) => line.split(' ')[3]),
    ['malformed', 'malformed', 'malformed'],
  )
})

test('[R3, R28] the token names the server', async (t) => {
  const endpoint = await openEndpoint(t, [{ name: 'fra1' }, { name: 'ber1', token: '' }, { name: 'par1' }])
  const [fra, par, ber] = [await endpoint.join('tok1'), await endpoint.join('tok3'), await endpoint.connect()]
  for (const client of [fra, par, ber]) {
    client.send(request('PUBLISH', `${path}/status`, 'deleted'))
    await client.hears(':1\r\n')
  }
  assert.deepEqual(endpoint.lines, [
    `fra1 boot 1: deleted ${path}`,
    `par1 boot 1: deleted ${path}`,
    `ber1 boot 1: deleted ${path}`,
  ])
})

test('[R3] a connection that says another server’s token speaks for that one, from then on', async (t) => {
  const endpoint = await openEndpoint(t, [{}, {}])
  const client = await endpoint.connect()
  const deleted = request('PUBLISH', `${path}/status`, 'deleted')
  client.send(Buffer.concat([request('AUTH', 'tok1'), deleted, request('AUTH', 'tok2'), deleted]))
  await client.hears('+OK\r\n:1\r\n+OK\r\n:1\r\n')
  assert.deepEqual(endpoint.lines.splice(0), [`turn1 boot 1: deleted ${path}`, `turn2 boot 1: deleted ${path}`])
  // The first server's boot has no connection any more, so the next `KEYS` ends it.
  const next = await endpoint.join('tok1')
  next.send(request('KEYS', '*'))
  await next.hears('*0\r\n')
  assert.deepEqual(endpoint.lines, ['turn1 boot 2: boot 1 is over'])
})

test('more events at once than a batch holds', async (t) => {
  const endpoint = await openEndpoint(t)
  const client = await endpoint.join()
  const events = 20_000
  client.send(Buffer.concat(Array.from({ length: events }, () => request('PUBLISH', `${path}/status`, 'deleted'))))
  await client.hears(':1\r\n'.repeat(events))
  assert.equal(endpoint.lines.length, events)
  assert.equal(new Set(endpoint.lines).size, 1)
})

test('IPv6: the endpoint listens where it is told', async (t) => {
  const ports: number[] = []
  const source = respSource({
    host: '::1',
    port: 0,
    servers: [{ name: 'turn1', token: 'tok1', version: null }],
    now: () => 0,
    on: (notice) => notice.kind === 'listening' && ports.push(notice.port),
  })
  await source.start([createStream(1, 'turn1', true)], () => {})
  t.after(() => source.stop())
  const client = await Client.to(ports[0]!, '::1')
  client.send(request('AUTH', 'tok1'))
  await client.hears('+OK\r\n')
  client.socket.destroy()
})

test('a port in use is said in one line that names it', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.after(() => other.close())
  const { port } = other.address() as { port: number }
  const servers = [{ name: 'turn1', token: 'tok1', version: null }]
  const source = respSource({ host: '127.0.0.1', port, servers, now: () => 0, on: () => {} })
  await assert.rejects(
    source.start([createStream(1, 'turn1', true)], () => {}),
    { message: `127.0.0.1:${port}: something else listens there already; choose another --resp` },
  )
})

test('stopping closes every connection, in any state, and frees the port', async (t) => {
  const endpoint = await openEndpoint(t)
  const clients = [await endpoint.connect(), await endpoint.join(), await endpoint.join()]
  clients[2]!.send(callBytes.subarray(0, 500))
  await clients[2]!.hears('+OK\r\n')
  await endpoint.stop()
  for (const client of clients) await client.isClosed()
  await assert.rejects(Client.to(endpoint.port), /ECONNREFUSED/)
  assert.deepEqual(
    endpoint.lines.filter((line) => line.includes('gap')),
    [],
  )
})
