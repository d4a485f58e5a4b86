/** fettle as users run it: a process of its own. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { on, once } from 'node:events'
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Run } from './terminal.ts'

const bin = fileURLToPath(new URL('../bin/fettle.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'fettle-process-'))
copyFileSync(new URL('../../relay/test/recordings/note-2018-call.txt', import.meta.url), join(folder, 'call.txt'))
after(() => rmSync(folder, { recursive: true }))

const environment = {
  HOME: folder,
  XDG_DATA_HOME: join(folder, 'share'),
  FETTLE_RESP: '127.0.0.1:0',
  FETTLE_HTTP: '127.0.0.1:0',
  FETTLE_LOG_FORMAT: 'text',
}

/** Runs fettle as a user does: a process, which is sent SIGTERM once its output holds `until`. */
async function spawned(words: readonly string[], until?: string): Promise<Run> {
  const env = { PATH: process.env.PATH, ...environment }
  const child = spawn(process.execPath, [bin, ...words], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let err = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
    if (until !== undefined && out.includes(until)) child.kill('SIGTERM')
  })
  const [status] = await once(child, 'close')
  return { status, out, err }
}

test('serve says where the data is and what to put into turnserver.conf, and keeps the token to itself', async () => {
  const data = join(folder, 'new')
  const { out, status, err } = await spawned(['relay', 'serve', '--data', data], 'waiting for coturn')
  assert.equal(status, 0)
  assert.equal(err, '')
  assert(out.includes(`data: ${data}\n`))
  const line = /^redis-statsdb="ip=127\.0\.0\.1 port=(\d+) password=(\S{20}) connect_timeout=5"$/m.exec(out)
  assert(line, out)
  assert.notEqual(line[1], '0')
  assert.equal(statSync(data).mode & 0o777, 0o700)
  assert.equal(statSync(join(data, 'servers.json')).mode & 0o777, 0o600)
  assert.deepEqual(JSON.parse(readFileSync(join(data, 'servers.json'), 'utf8'))[0].token, line[2])
  const again = await spawned(['relay', 'serve', '--data', data], 'waiting for coturn')
  assert(again.out.includes(line[2]!), 'the token stays the same')
})

test('a file gets a name that steers the terminal as it is', async () => {
  const event = (kind: string, message: string) =>
    `1795448064000\tturn/user/1:\u009b31m\u202e/allocation/000000000000000001/${kind}\t${message}\n`
  writeFileSync(join(folder, 'steering.txt'), event('status', 'new lifetime=600') + event('status', 'deleted'))
  assert.match((await spawned(['relay', 'replay', 'steering.txt', '--csv'])).out, /\u009b31m\u202e/)
})

test('as a process: an answer, and a fault', async () => {
  const replayed = await spawned(['relay', 'replay', 'call.txt', '--csv'])
  assert.deepEqual([replayed.status, replayed.err], [0, ''])
  assert.match(replayed.out, /,5785,5862284,2407,114451,,,,\r\n/)
  assert.deepEqual(await spawned(['relay', 'fly']), { status: 2, out: '', err: "fettle: unknown command 'fly'\n" })
})

test('what cannot be written is no success: one line, status 3', async () => {
  const full = openSync('/dev/full', 'w')
  const env = { PATH: process.env.PATH, ...environment }
  const line = [bin, 'relay', 'replay', 'call.txt', '--csv']
  const child = spawn(process.execPath, line, { cwd: folder, env, stdio: ['ignore', full, 'pipe'] })
  closeSync(full)
  const [[status], err] = await Promise.all([once(child, 'close'), text(child.stderr!)])
  assert.deepEqual([status, err], [3, 'fettle: standard output cannot be written (ENOSPC)\n'])
})

test('a reader that goes away ends a demo cleanly, its folder too', async () => {
  const env = { PATH: process.env.PATH, ...environment }
  const line = [bin, 'relay', 'demo', '--speed', '50']
  const child = spawn(process.execPath, line, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const [shown] = await once(child.stdout, 'data')
  child.stdout.destroy()
  const [[status], err] = await Promise.all([once(child, 'close'), text(child.stderr)])
  assert.deepEqual([status, err], [0, ''])
  const [, demoFolder] = /tail --data (\S+)/.exec(String(shown))!
  assert(!existsSync(demoFolder!))
})

test('a demo without a place for its folder: one line, status 3', async () => {
  const env = { PATH: process.env.PATH, ...environment, TMPDIR: bin }
  const child = spawn(process.execPath, [bin, 'relay', 'demo'], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const [[status], err] = await Promise.all([once(child, 'close'), text(child.stderr)])
  assert.deepEqual([status, err], [3, `fettle: ${bin}: no folder can be made there; name another as TMPDIR\n`])
})

test('Ctrl-C ends a command that has nothing to put in order, at once', async () => {
  const child = spawn(process.execPath, [bin, 'relay', 'replay', '/dev/zero'], { env: environment, stdio: 'ignore' })
  await setTimeout(1000)
  child.kill('SIGINT')
  assert.deepEqual(await once(child, 'close'), [null, 'SIGINT'])
})

test('npm start serves, and ends when npm is told to', async (t) => {
  const data = join(folder, 'started')
  const child = spawn('npm', ['start', '--', '--data', data], {
    cwd: fileURLToPath(new URL('../../..', import.meta.url)),
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  child.stdout.setEncoding('utf8')
  for await (const [text] of on(child.stdout, 'data')) if (text.includes('waiting for coturn')) break
  const { pid } = JSON.parse(readFileSync(join(data, 'running.json'), 'utf8'))
  t.after(() => existsSync(`/proc/${pid}`) && process.kill(pid))
  // To npm alone, as a service manager may do it: fettle must not be left behind.
  child.kill('SIGTERM')
  assert.deepEqual(await once(child, 'exit'), [0, null])
  assert(!existsSync(join(data, 'running.json')))
})
