import assert from 'node:assert/strict'
import { once } from 'node:events'
import { rmSync, statfsSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import type { SessionRecord } from '@fettle/relay'
import { launcher } from '../fettle.ts'
import { exitOf, find, Ground, until } from '../harness.ts'

const CALLS = 3000
const BYTES = 1_000_000

const command = (...words: string[]) =>
  `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`

/** What coturn sends for a short call. */
function call(i: number): string {
  const path = `turn/realm/example.org/user/100:device${i}/allocation/${String(i).padStart(18, '0')}`
  const says = (kind: string, text: string) => command('PUBLISH', `${path}/${kind}`, text)
  const client = `rcvp=1000, rcvb=${BYTES + i}, sentp=1000, sentb=${BYTES}`
  const peer = `rcvp=1000, rcvb=${BYTES}, sentp=1000, sentb=${BYTES}`
  return [
    says('status', 'new lifetime=600, type=UDP, local=192.0.2.1:3478, remote=192.0.2.7:5000, ssl=NONE, cipher=NONE'),
    says('traffic', client),
    says('traffic/peer', peer),
    says('status', 'deleted'),
    says('total_traffic', client),
    says('total_traffic/peer', peer),
  ].join('')
}

test('[R30] the disk is full for a while: it is said, the meter goes on, and every call is written once', async (t) => {
  const ground = new Ground(t)
  const disk = join(ground.folder, 'disk')
  // A file system of 16 MB, in a mount namespace of the meter's own, so that nothing stays mounted.
  const mount = `mkdir "${disk}" && mount -t tmpfs -o size=16m tmpfs "${disk}" && exec "$@"`
  const root = process.getuid?.() === 0 ? [] : ['--map-root-user']
  const serve = [process.execPath, launcher, 'relay', 'serve', '--data', join(disk, 'data'), '--resp', '127.0.0.1:0']
  const meter = ground.start(find('unshare'), [...root, '--mount', '--', '/bin/sh', '-c', mount, 'sh', ...serve])
  const line = await until('the line for coturn', () => /port=(\d+) password=(\S+)/.exec(meter.output))
  const seen = join('/proc', String(meter.pid), 'root', disk)

  const filler = join(seen, 'filler')
  const { bavail, bsize } = statfsSync(seen)
  writeFileSync(filler, Buffer.alloc(bavail * bsize - 300_000))
  const socket = connect(Number(line[1]), '127.0.0.1')
  await once(socket, 'connect')
  socket.resume()
  socket.write(command('AUTH', line[2]!))
  for (let i = 1; i <= CALLS / 2; i++) socket.write(call(i))
  await until('a complaint', () => /records cannot be written, trying again: .*full/.test(meter.complaints))
  for (let i = CALLS / 2 + 1; i <= CALLS; i++) socket.write(call(i))
  assert.equal(meter.status, undefined, 'it runs on')

  rmSync(filler)
  const inside = [find('nsenter'), `--target=${meter.pid}`, ...(root.length > 0 ? ['--user'] : []), '--mount', '--']
  const list = [...inside, process.execPath, launcher, 'relay', 'sessions', '--data', join(disk, 'data'), '--json']
  const sessions = async (): Promise<SessionRecord[]> => {
    const reader = ground.start(list[0]!, list.slice(1))
    assert.equal(await exitOf(reader), 0)
    return JSON.parse(reader.output).sessions
  }
  let found = await sessions()
  for (let tries = 0; found.length < CALLS && tries < 20; tries++) found = await sessions()
  assert.equal(found.length, CALLS)
  found.forEach((session, i) => {
    assert.equal(session.quality, 'exact')
    assert.deepEqual(Object.values(session.client), [BYTES + i + 1, 1000, BYTES, 1000])
    assert.deepEqual(Object.values(session.peer!), [BYTES, 1000, BYTES, 1000])
  })
  // One complaint a second at most, and none of them with a stack.
  assert(meter.complaints.split('\n').length < 30, meter.complaints)
  assert(!meter.complaints.includes('    at '))
  socket.destroy()
  meter.kill('SIGTERM')
  assert.equal(await exitOf(meter, 10), 0)
})
