import assert from 'node:assert/strict'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TailEvent } from '@fettle/relay/api'
import { tailExamples, tailLine } from '../../src/relay/tail.ts'
import { User, words } from '../terminal.ts'
import { fakeMeter } from './fake-meter.ts'

const opened: TailEvent = {
  at: '2026-11-22T15:34:24.123Z',
  server: 'turn1',
  realm: 'example.org',
  username: '1795448064:alice',
  device: 'alice',
  allocation: '000000000000000001',
  event: 'new',
  lifetimeSeconds: 600,
  counters: null,
}
const counters = { receivedBytes: 1507030, receivedPackets: 1484, sentBytes: 34544, sentPackets: 569 }
const traffic: TailEvent = { ...opened, event: 'traffic', lifetimeSeconds: null, counters }
const malformed: TailEvent = {
  ...opened,
  realm: '',
  username: '',
  device: '',
  allocation: '',
  event: 'malformed',
  lifetimeSeconds: null,
}

test('an event is a line of at most 80 columns, whatever its names are', () => {
  assert.equal(tailLine(opened, 80), '15:34:24  turn1     new           alice                 lifetime 600 s\n')
  assert.equal(
    tailLine(traffic, 80),
    '15:34:24  turn1     traffic       alice                 in 1.51 MB, out 34.5 kB\n',
  )
  assert.match(tailLine({ ...opened, event: 'refreshed', lifetimeSeconds: 0 }, 80), / goodbye\n$/)
  assert.match(tailLine({ ...opened, event: 'deleted', lifetimeSeconds: null }, 80), / deleted +alice\n$/)
  assert.match(tailLine(malformed, 80), / malformed +cannot be read\n$/)
  const huge = { ...counters, receivedBytes: 999_499_999, sentBytes: 999_400_000_000_000 }
  const long = {
    ...traffic,
    event: 'traffic/peer',
    device: 'x'.repeat(500),
    server: 'y'.repeat(64),
    counters: huge,
  } as const
  assert(tailLine(long, 80).length <= 81)
  const steering = { ...opened, device: '\u001b]0;x\u0007\u202e\n', server: '\u009b31m' }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be there
  assert.doesNotMatch(tailLine(steering, 200).trimEnd(), /[\u0000-\u001f\u007f-\u009f\u202e]/)
})

test('the examples in help run against a real meter and show what a coturn says', async (t) => {
  const user = new User(t)
  const meter = user.start('relay', 'serve')
  const [, port, token] = await meter.shows(/^redis-statsdb=".* port=(\d+) password=(\S+) /m)
  await meter.shows(/waiting for coturn/)
  const coturn = connect({ host: '127.0.0.1', port: Number(port) })
  t.after(() => coturn.destroy())
  // The meter goes first, with what is still on its way to it.
  coturn.on('error', () => {})
  const { out: help } = await user.run('relay', 'tail', '--help')
  await once(coturn, 'connect')
  coturn.resume()
  coturn.write(respRequest('AUTH', token!))
  for (const example of tailExamples) {
    assert(help.includes(example), example)
    const tail = user.start(...words(example))
    // Whoever begins to watch hears what comes from then on.
    const path = (name: string) =>
      `turn/realm/example.org/user/1795448064:${name}/allocation/000000000000000001/traffic`
    const timer = setInterval(() => {
      for (const name of ['alice', 'bob']) {
        coturn.write(respRequest('PUBLISH', path(name), 'rcvp=1, rcvb=1500000, sentp=1, sentb=200'))
      }
    }, 50)
    await tail.shows(example.includes('--json') ? /"device":"bob"/ : /traffic +alice +in 1\.50 MB, out 200 B/)
    clearInterval(timer)
    if (example.includes('--device')) assert.doesNotMatch(tail.out, /bob/)
    tail.interrupt()
    const { status, err, out } = await tail.ended
    assert.deepEqual([status, err], [0, ''], example)
    for (const line of out.trimEnd().split('\n')) {
      if (example.includes('--json')) assert.equal(JSON.parse(line).server, 'turn1')
      else assert(line.length <= 80, line)
    }
  }
  for (const line of help.split('\n')) assert(line.length <= 80, line)
})

/** A request as hiredis writes it. */
const respRequest = (...parts: readonly string[]) =>
  `*${parts.length}\r\n${parts.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join('')}`

test('events that were left out are told, and so is a meter that goes away', async (t) => {
  const user = new User(t)
  const meter = await fakeMeter(t, user.data)
  const tail = user.start('relay', 'tail', '--device', 'alice & co')
  await tail.shows(/UTC +server +event +device +what/)
  while (meter.asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  meter.tell(opened)
  await tail.shows(/new +alice/)
  meter.tellDropped(17)
  await tail.shows(/fettle: 17 events are not shown: they came too fast\n/)
  await meter.vanish()
  const { status, err } = await tail.ended
  assert.equal(status, 3)
  assert.match(err, /\nfettle: the meter has gone away\n$/)
  assert.deepEqual(meter.asked, ['/v1/events?device=alice%20%26%20co'])
  assert.deepEqual(meter.tokens, ['Bearer its-token'])
})

test('--json keeps every name as it is and yet steers no terminal', async (t) => {
  const user = new User(t)
  const meter = await fakeMeter(t, user.data)
  const tail = user.start('relay', 'tail', '--json')
  while (meter.asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  const event = { ...opened, username: 'a\u001b\u009b\u202e"\\b', device: '\u0085' }
  meter.tell(event)
  await tail.shows(/\n/)
  tail.interrupt()
  const { out } = await tail.ended
  assert.deepEqual(JSON.parse(out), event)
  assert.match(out, /^[\x20-\x7e]+\n$/)
})

test('a meter that hangs is told, at the start and later', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  for (const [hangs, seconds] of [
    [true, 5],
    [false, 40],
  ] as const) {
    const user = new User(t)
    const meter = await fakeMeter(t, user.data)
    meter.hangs = hangs
    const tail = user.start('relay', 'tail')
    while (meter.asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    if (!hangs) meter.tell(opened)
    if (!hangs) await tail.shows(/new +alice/)
    t.mock.timers.tick((seconds - 1) * 1000)
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert.equal(tail.err, '')
    t.mock.timers.tick(1000)
    const { status, err } = await tail.ended
    assert.equal(status, 3)
    assert.match(err, new RegExp(`^fettle: http://127\\.0\\.0\\.1:\\d+: no answer within ${seconds} s\\n$`))
  }
})

test('a meter that starts is not told to be none', async (t) => {
  const user = new User(t)
  await fakeMeter(t, user.data)
  rmSync(join(user.data, 'running.json'))
  const { status, err } = await user.run('relay', 'tail')
  assert.equal(status, 3)
  assert.match(err, /^fettle: \S+: its meter starts or stops; try again in a moment\n$/)
})

test('what cannot be watched: one line, status 3', async (t) => {
  const user = new User(t)
  const none = await user.run('relay', 'tail')
  assert.equal(none.status, 3)
  assert.match(none.err, /^fettle: \S+: no meter is running; start one with fettle relay serve --data \S+\n$/)
  const meter = await fakeMeter(t, user.data)
  const tail = user.start('relay', 'tail')
  while (meter.asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  meter.tellNonsense()
  const { status, err } = await tail.ended
  assert.equal(status, 3)
  assert.match(err, /^fettle: the meter says what this fettle does not understand: .*\n$/)
})
