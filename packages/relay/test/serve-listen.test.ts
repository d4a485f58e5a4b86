import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { test } from 'node:test'
import type { Api } from '../src/serve/api.ts'
import { listen } from '../src/serve/listen.ts'
import { get, Rig, TOKEN } from './api-rig.ts'
import { Follower } from './serve-follower.ts'

const hello: Api = { fetch: () => new Response('hello'), close: () => {} }

test('an address where nothing can listen is named in one line', async (context) => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  context.after(() => other.close())
  const { port } = other.address() as { port: number }
  await assert.rejects(listen(hello, '127.0.0.1', port), {
    message: `127.0.0.1:${port}: something else listens there already; choose another --http`,
  })
  await assert.rejects(listen(hello, '192.0.2.1', 0), {
    message: '192.0.2.1:0: this machine has no such address; choose another --http',
  })
})

test('the port that was found is told, on IPv4 and IPv6', async (context) => {
  for (const [host, name] of [
    ['127.0.0.1', '127.0.0.1'],
    ['::1', '[::1]'],
    ['localhost', 'localhost'],
  ] as const) {
    const listening = await listen(hello, host, 0)
    context.after(() => listening.close())
    assert.equal(await (await fetch(`http://${name}:${listening.port}/`)).text(), 'hello')
  }
})

test('closing waits neither for streams nor for clients that keep their connection', async (context) => {
  const rig = new Rig(context)
  const listening = await listen(rig.api(), '127.0.0.1', 0)
  const address = `http://127.0.0.1:${listening.port}`
  await (await fetch(`${address}/healthz`)).text()
  const follower = await Follower.on(`${address}/v1/live`, context)
  await follower.next()
  const began = performance.now()
  await listening.close()
  assert.ok(performance.now() - began < 1500)
  await follower.ended
  await assert.rejects(fetch(`${address}/healthz`))
})

test('answers over a socket are those without one', async (context) => {
  const rig = new Rig(context)
  rig.call('1:alice', 1)
  rig.commit()
  const address = await rig.serve(context)
  const api = rig.api()
  for (const path of [
    '/v1/sessions',
    '/v1/usage',
    '/v1/openapi.json',
    '/readyz',
    '/v1/nothing',
    '/v1/sessions?limit=x',
  ]) {
    const headers = { Authorization: `Bearer ${TOKEN}` }
    const [near, far] = [await api.fetch(get(path)), await fetch(address + path, { headers })]
    // The disk's free bytes may change between the two.
    const [a, b] = [await far.text(), await near.text()].map((text) => text.replace(/"diskFreeBytes":\d+/, ''))
    assert.deepEqual([far.status, a], [near.status, b], path)
    assert.equal(far.headers.get('content-type'), near.headers.get('content-type'), path)
  }
})

test('a health check in HTTP/1.0, which names no host, is answered', async (context) => {
  const rig = new Rig(context)
  rig.commit()
  for (const token of [TOKEN, '']) {
    const { port } = new URL(await rig.serve(context, { token }))
    const socket = connect(Number(port), '127.0.0.1').setEncoding('utf8')
    socket.write('GET /readyz HTTP/1.0\r\n\r\n')
    const [answer] = await once(socket, 'data')
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/)
    socket.destroy()
  }
})
