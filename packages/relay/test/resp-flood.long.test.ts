/** Many connections and many bytes: memory stays bounded, and coturn is let in. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Client, type Endpoint, openEndpoint, request, until } from './resp-endpoint.ts'

const MB = 1_000_000

test('[R28] the one connection too many is refused and said, be all others coturns', async (t) => {
  const endpoint = await openEndpoint(t)
  for (let i = 0; i < 1024; i++) {
    const socket = connect({ host: '127.0.0.1', port: endpoint.port })
    // At the end the endpoint may close it before we do, with an answer in it that nobody has read.
    socket.on('error', () => {})
    t.after(() => socket.destroy())
    socket.write(request('AUTH', 'tok1'))
  }
  await until(() => endpoint.source.status().servers[0]!.connections === 1024, 'all of them')
  const late = await endpoint.connect()
  await late.isClosed()
  const refused = endpoint.notices.flatMap((notice) => (notice.kind === 'refused' ? [notice.why] : []))
  assert.deepEqual(refused, ['too many connections'])
})

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

/** What is still held when all that is not has been collected, in megabytes; buffers are freed by another thread. */
async function held(): Promise<number> {
  collect()
  await wait(100)
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return (heapUsed + external) / MB
}

/** The most memory that this process had while `work` went on, above what it had before, in megabytes. */
async function growth(work: () => Promise<unknown>): Promise<number> {
  collect()
  const before = process.memoryUsage.rss()
  let most = before
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss())
  }, 5)
  try {
    await work()
  } finally {
    clearInterval(watch)
  }
  return Math.round((Math.max(most, process.memoryUsage.rss()) - before) / MB)
}

/** Pushes about so many bytes of it, as fast as they are taken; true when the endpoint has closed before the end. */
async function push(socket: Socket, block: Uint8Array, bytes: number): Promise<boolean> {
  for (let sent = 0; sent < bytes && !socket.destroyed; sent += block.length) {
    if (socket.write(block)) continue
    await new Promise<void>((resolve) => {
      const done = () => {
        socket.off('drain', done).off('close', done)
        resolve()
      }
      socket.on('drain', done).on('close', done)
    })
  }
  return socket.destroyed
}

const repeated = (part: Uint8Array, bytes: number) =>
  Buffer.concat(Array.from({ length: Math.ceil(bytes / part.length) }, () => part))

/** A client that takes replies or, if told so, leaves them lying. */
async function pusher(t: TestContext, endpoint: Endpoint, token: string | undefined, reads: boolean): Promise<Socket> {
  const socket = connect({ port: endpoint.port, host: '127.0.0.1' })
  socket.on('error', () => {})
  t.after(() => socket.destroy())
  await once(socket, 'connect')
  if (token !== undefined) socket.write(request('AUTH', token))
  if (reads) socket.resume()
  return socket
}

test('[R28] 200 MB that a member sends leave nothing behind', async (t) => {
  const endpoint = await openEndpoint(t)
  const socket = await pusher(t, endpoint, 'tok1', true)
  const set = request('SET', 'k'.repeat(1000), 'v'.repeat(15_000))
  const block = repeated(set, MB)
  const replies = 5 * (1 + 200 * (block.length / set.length))
  const before = await held()
  const grown = await growth(async () => {
    assert.equal(await push(socket, block, 200 * block.length), false)
    await until(() => socket.bytesRead === replies, 'all replies')
  })
  const left = (await held()) - before
  assert.ok(grown < 150 && left < 5, `${grown} MB at most, ${left.toFixed(1)} MB left`)
  t.diagnostic(`${grown} MB more at most, ${left.toFixed(1)} MB left`)
})

test('[R28] 200 MB of garbage, from members and strangers: each connection is closed within its first chunks', async (t) => {
  const endpoint = await openEndpoint(t)
  const block = Buffer.alloc(MB, 'no line ends here ')
  let connections = 0
  const grown = await growth(async () => {
    for (; connections < 200; connections++) {
      const socket = await pusher(t, endpoint, connections % 2 === 0 ? 'tok1' : undefined, true)
      assert.equal(await push(socket, block, 200 * MB), true)
    }
  })
  assert.ok(grown < 100, `${grown} MB`)
  const next = await endpoint.join()
  await next.isIdle()
  t.diagnostic(`${connections} connections, ${grown} MB more at most`)
})

for (const token of [undefined, 'tok1']) {
  test(`[R28] a client that never takes its replies is closed: ${token ?? 'without a token'}`, async (t) => {
    const endpoint = await openEndpoint(t)
    const socket = await pusher(t, endpoint, token, false)
    socket.pause()
    const block = repeated(Buffer.from('x\r\n'), 64_000)
    const grown = await growth(async () => {
      assert.equal(await push(socket, block, 20 * MB), true, 'it was never closed')
    })
    assert.ok(grown < 100, `${grown} MB`)
    const gaps = endpoint.lines.filter((line) => line.includes('gap stall'))
    assert.equal(gaps.length, token === undefined ? 0 : 1)
    t.diagnostic(`closed, ${grown} MB more at most`)
  })
}

test('[R28] 2000 connections: no more than the limit, and room again when they have gone', async (t) => {
  const endpoint = await openEndpoint(t)
  const member = await endpoint.join()
  const clients: Client[] = []
  const grown = await growth(async () => {
    for (let i = 0; i < 2000; i++) clients.push(await Client.to(endpoint.port))
    await until(() => clients.filter(({ closed }) => closed).length >= 977, 'the connections above the limit closed')
  })
  const open = clients.filter(({ closed }) => !closed)
  assert.equal(open.length, 1023)
  await member.isIdle()
  for (const { socket } of open) socket.destroy()
  for (const one of open) await one.isClosed()
  await (await endpoint.join()).isIdle()
  assert.ok(grown < 150, `${grown} MB`)
  t.diagnostic(`${open.length} open at once, ${grown} MB more at most`)
})

test('[R28] connections that send half a request each hold no more than that', async (t) => {
  const endpoint = await openEndpoint(t)
  const half = Buffer.concat([Buffer.from('*3\r\n$7\r\nPUBLISH\r\n$16000\r\n'), Buffer.alloc(15_000, 'x')])
  const clients: Client[] = []
  const grown = await growth(async () => {
    for (let i = 0; i < 1000; i++) {
      const client = await Client.to(endpoint.port)
      client.send(request('PING'), half)
      clients.push(client)
    }
    // The reply tells that it was read.
    await until(() => clients.every(({ heard }) => heard !== ''), 'all replies')
  })
  for (const { socket } of clients) socket.destroy()
  for (const one of clients) await one.isClosed()
  assert.ok(grown < 150, `${grown} MB`)
  t.diagnostic(`1000 halves of 15 kB: ${grown} MB more at most`)
})

test('[R28] a stranger’s flood does not keep coturn out', async (t) => {
  const endpoint = await openEndpoint(t)
  const strangers: Client[] = []
  for (let i = 0; i < 1500; i++) strangers.push(await Client.to(endpoint.port))
  const coturn = await endpoint.join()
  await coturn.isIdle()
  for (const { socket } of strangers) socket.destroy()
  for (const one of strangers) await one.isClosed()
})
