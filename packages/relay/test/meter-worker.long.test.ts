/** The meter's thread, asked and told as serve.ts does it. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { DEFAULT_TEMPLATE, readTemplate } from '../src/core/session.ts'
import type { Asked, Told, WorkerData } from '../src/meter-worker.ts'
import { request } from './resp-endpoint.ts'

const server = (name: string) => ({ name, token: `token of ${name}`, version: null })

class Thread {
  readonly told: Told[] = []
  readonly file: string
  readonly #worker: Worker

  constructor(context: TestContext) {
    const folder = mkdtempSync(join(tmpdir(), 'fettle-thread-'))
    this.file = join(folder, 'ledger.sqlite')
    const template = readTemplate(DEFAULT_TEMPLATE)
    assert.ok('fields' in template)
    const workerData: WorkerData = {
      sqlite: { file: this.file, template, lingerMs: 30_000 },
      resp: { host: '127.0.0.1', port: 0 },
      servers: [server('turn1')],
      forward: null,
      redis: null,
      log: null,
    }
    this.#worker = new Worker(new URL('../src/meter-worker.ts', import.meta.url), { workerData })
    this.#worker.on('message', (told: Told) => this.told.push(told))
    context.after(async () => {
      this.ask({ kind: 'stop' })
      await once(this.#worker, 'exit')
      rmSync(folder, { recursive: true })
    })
  }

  ask(asked: Asked): void {
    this.#worker.postMessage(asked)
  }

  async until<K extends Told['kind']>(kind: K, fits: (told: Told & { kind: K }) => boolean = () => true) {
    for (let i = 0; i < 2000; i++, await wait(5)) {
      const found = this.told.find((one): one is Told & { kind: K } => one.kind === kind && fits(one as never))
      if (found !== undefined) return found
    }
    assert.fail(`no ${kind}`)
  }

  /** A coturn that has said its password; `undefined`: it is not let in. */
  async join(name: string): Promise<Socket | undefined> {
    const { port } = (await this.until('listening')) as { port: number }
    const socket = connect(port, '127.0.0.1').setEncoding('utf8')
    socket.write(request('AUTH', server(name).token))
    const [answer] = await once(socket, 'data')
    if (answer === '+OK\r\n') return socket
    socket.destroy()
    return undefined
  }
}

test('who begins to watch hears nothing of what the one before has not waited for', async (context) => {
  const thread = new Thread(context)
  const coturn = await thread.join('turn1')
  assert.ok(coturn)
  context.after(() => coturn.destroy())
  const path = 'turn/realm/example.org/user/1:alice/allocation/000000000000000001'
  const report = () => coturn.write(request('PUBLISH', `${path}/traffic`, 'rcvp=1, rcvb=2, sentp=3, sentb=4'))
  thread.ask({ kind: 'tail', on: true })
  await wait(50)
  report()
  await thread.until('events')
  // This one is heard, and the watcher gone, before the next turn of those who tell.
  report()
  await wait(15)
  thread.ask({ kind: 'tail', on: false })
  await wait(200)
  thread.told.length = 0
  thread.ask({ kind: 'tail', on: true })
  await wait(200)
  assert.deepEqual(
    thread.told.filter(({ kind }) => kind === 'events'),
    [],
  )
})

test('a server that the store cannot take is let in as soon as it can, and one that is gone is out at once', async (context) => {
  const thread = new Thread(context)
  const gone = await thread.join('turn1')
  assert.ok(gone)
  const closed = once(gone, 'close')
  const db = new DatabaseSync(thread.file, { timeout: 5000 })
  context.after(() => db.close())
  db.exec('ALTER TABLE stream RENAME TO away')
  thread.ask({ kind: 'servers', servers: [server('turn2')] })
  await thread.until('failed')
  await closed
  assert.equal(await thread.join('turn1'), undefined)
  assert.equal(await thread.join('turn2'), undefined)
  db.exec('ALTER TABLE away RENAME TO stream')
  const letIn = async () => {
    for (let i = 0; i < 60; i++, await wait(50)) {
      const coturn = await thread.join('turn2')
      if (coturn !== undefined) return coturn
    }
    assert.fail('turn2 was not let in')
  }
  const coturn = await letIn()
  context.after(() => coturn.destroy())
})
