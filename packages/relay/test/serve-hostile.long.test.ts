/** What strangers and careless clients do to the port of the API. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { Rig, TOKEN } from './api-rig.ts'

const AUTH = `Host: 127.0.0.1\r\nAuthorization: Bearer ${TOKEN}\r\n`

async function openSocket(context: TestContext, address: string): Promise<Socket> {
  const socket = connect(Number(new URL(address).port), '127.0.0.1').setEncoding('utf8')
  socket.on('error', () => {})
  context.after(() => socket.destroy())
  await once(socket, 'connect')
  return socket
}

async function firstLine(socket: Socket, request: string): Promise<string> {
  socket.write(request)
  const [text] = (await once(socket, 'data')) as [string]
  return text.slice(0, text.indexOf('\r\n'))
}

const isWell = async (address: string) => (await fetch(`${address}/healthz`)).status === 200

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 400 && !condition(); i++) await wait(25)
  assert.ok(condition())
}

test('two thousand connections that say nothing, or half a line, keep nobody out', async (context) => {
  const rig = new Rig(context)
  const address = await rig.serve(context)
  for (let i = 0; i < 20; i++) {
    const some = await Promise.all(Array.from({ length: 100 }, () => openSocket(context, address)))
    for (const socket of some.slice(0, 50)) socket.write('GET /healthz HTTP/1.1\r\nHo')
  }
  assert.ok(await isWell(address))
})

test('headers without an end are refused, a body that nobody asked for is not waited for', async (context) => {
  const rig = new Rig(context)
  const address = await rig.serve(context)
  const long = `GET /healthz HTTP/1.1\r\n${AUTH}X: ${'x'.repeat(100_000)}\r\n\r\n`
  assert.match(await firstLine(await openSocket(context, address), long), / 431 /)
  const slow = `GET /healthz HTTP/1.1\r\n${AUTH}Content-Length: 1000000000\r\n\r\nx`
  assert.match(await firstLine(await openSocket(context, address), slow), / 200 /)
  const stranger = 'POST /v1/reconcile HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000000\r\n\r\nx'
  assert.match(await firstLine(await openSocket(context, address), stranger), / 401 /)
  assert.ok(await isWell(address))
})

test('who comes and goes all the time, or asks for streams one behind the other, leaves nothing behind', async (context) => {
  const rig = new Rig(context)
  for (let i = 0; i < 50; i++) rig.open(`1:device${i}`)
  rig.commit()
  const address = await rig.serve(context)
  const follow = `GET /v1/live HTTP/1.1\r\n${AUTH}Last-Event-ID: ${'9'.repeat(400)}\r\n\r\n`
  for (let i = 0; i < 500; i++) {
    const socket = await openSocket(context, address)
    socket.write(follow)
    // Some are gone before they are answered.
    if (i % 3 > 0) await once(socket, 'data')
    socket.destroy()
  }
  await until(() => rig.commits.size === 0)
  const [queue, events] = [await openSocket(context, address), await openSocket(context, address)]
  queue.write(follow.repeat(50))
  events.write(follow.replace('/v1/live', '/v1/events').repeat(50))
  await until(() => rig.commits.size === 1 && rig.watchers.size === 1)
  queue.resume().destroy()
  events.resume().destroy()
  // A connection that is not read from is found broken when something is written to it.
  await until(() => {
    rig.open(`1:device${rig.now}`)
    rig.pass(1000)
    rig.commit()
    for (const tell of rig.watchers) tell([], 1)
    return rig.commits.size === 0 && rig.watchers.size === 0
  })
  assert.deepEqual(rig.errors, [])
  assert.ok(await isWell(address))
})
