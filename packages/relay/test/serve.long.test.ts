import assert from 'node:assert/strict'
import { once } from 'node:events'
import { copyFileSync, existsSync, globSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { readServers } from '../src/folder.ts'
import { readOptions, type ServeOptions } from '../src/options.ts'
import { readRunning } from '../src/running.ts'
import { type ServeEvent, serve } from '../src/serve.ts'
import { request } from './resp-endpoint.ts'

function optionsFor(context: TestContext, http = '127.0.0.1:0'): ServeOptions {
  const data = mkdtempSync(join(tmpdir(), 'fettle-serve-'))
  context.after(() => rmSync(data, { recursive: true }))
  const options = readOptions({ data, resp: '127.0.0.1:0', http }, {})
  assert.ok(options.ok)
  return options.value
}

/** A meter that serves until the test ends it. */
function start(options: ServeOptions): { events: ServeEvent[]; stop: () => Promise<boolean>; until: Until } {
  const controller = new AbortController()
  const events: ServeEvent[] = []
  const ended = serve(options, { signal: controller.signal, on: (event) => events.push(event) })
  const stop = () => {
    controller.abort()
    return ended
  }
  const until: Until = async (kind) => {
    for (let i = 0; i < 400; i++, await wait(10)) {
      const found = events.find((event) => event.kind === kind)
      if (found !== undefined) return found
    }
    assert.fail(`no ${kind} but ${JSON.stringify(events)}`)
  }
  return { events, stop, until }
}
type Until = (kind: ServeEvent['kind']) => Promise<ServeEvent>

/** A coturn reports a whole call. */
async function reportCall(data: string): Promise<void> {
  const [host, port] = readRunning(data)!.resp!.split(':')
  const socket = connect(Number(port), host)
  await once(socket, 'connect')
  const path = 'turn/realm/example.org/user/1:alice/allocation/000000000000000001'
  const status = 'new lifetime=600, type=UDP, local=192.0.2.1:3478, remote=198.51.100.7:5000, ssl=NONE, cipher=NONE'
  socket.write(request('AUTH', readServers(data)[0]!.token))
  socket.write(request('PUBLISH', `${path}/status`, status))
  socket.write(request('PUBLISH', `${path}/status`, 'deleted'))
  for (const kind of ['total_traffic', 'total_traffic/peer']) {
    socket.write(request('PUBLISH', `${path}/${kind}`, 'rcvp=1, rcvb=2, sentp=3, sentb=4'))
  }
  socket.resume()
  socket.end()
  await once(socket, 'close')
}

test('a meter that is ended while it starts leaves nothing open', async (context) => {
  // A name is looked up first, so that the API listens only after the meter has gone.
  const options = optionsFor(context, 'localhost:0')
  const { events, stop } = start(options)
  assert.equal(await stop(), true)
  const told = events.length
  await wait(200)
  assert.equal(events.length, told, JSON.stringify(events.slice(told)))
  assert.ok(!existsSync(join(options.data, 'running.json')))
  for (const event of events) if (event.kind === 'ready') await assert.rejects(fetch(`${event.http}/healthz`))
})

test('sessions that cannot be read are not told of, and the meter goes on', async (context) => {
  const options = optionsFor(context)
  const { stop, until } = start(options)
  await until('ready')
  for (const file of globSync('ledger.sqlite*', { cwd: options.data })) rmSync(join(options.data, file))
  await reportCall(options.data)
  assert.deepEqual(await until('untold'), { kind: 'untold', why: 'unable to open database file' })
  assert.equal(await stop(), true)
})

test('a list of servers that is removed is told of and not made anew', async (context) => {
  const options = optionsFor(context)
  const { stop, until } = start(options)
  await until('ready')
  const file = join(options.data, 'servers.json')
  renameSync(file, `${file}.bak`)
  const found = await until('servers')
  assert.ok(found.kind === 'servers')
  assert.deepEqual([found.lines.length, found.why], [1, `${file}: is not there any more`])
  assert.ok(!existsSync(file))
  renameSync(`${file}.bak`, file)
  await reportCall(options.data)
  await until('session')
  assert.equal(await stop(), true)
})

test('a session that has ended is told of', async (context) => {
  const options = optionsFor(context)
  const { stop, until } = start(options)
  await until('ready')
  await reportCall(options.data)
  const found = await until('session')
  assert.ok(found.kind === 'session')
  assert.deepEqual([found.session.device, found.session.client.receivedBytes], ['alice', 2])
  assert.equal(await stop(), true)
})

test('after the end the file of the ledger alone holds everything', async (context) => {
  const options = optionsFor(context)
  const { stop, until } = start(options)
  await until('ready')
  await reportCall(options.data)
  await until('session')
  assert.equal(await stop(), true)
  const copy = join(options.data, 'copy.sqlite')
  copyFileSync(join(options.data, 'ledger.sqlite'), copy)
  const db = new DatabaseSync(copy)
  assert.deepEqual({ ...db.prepare('SELECT count(*) AS n FROM session').get() }, { n: 1 })
  db.close()
})
