import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { serverExamples } from '../../src/relay/server.ts'
import { User, words } from '../terminal.ts'
import { fakeMeter } from './fake-meter.ts'

const LINE = /^redis-statsdb="ip=(\S+) port=(\d+) password=(\S{20}) connect_timeout=5"$/m

const assertNarrow = (text: string) => {
  for (const line of text.split('\n')) assert(line.length <= 80 || line.startsWith('redis-statsdb'), line)
}

test('the examples in help run, one after the other', async (t) => {
  const user = new User(t)
  const { out: help } = await user.run('relay', 'server', '--help')
  for (const example of serverExamples) {
    assert(help.includes(example), example)
    const { status, out, err } = await user.run(...words(example))
    assert.deepEqual([status, err], [0, ''], example)
    assert.notEqual(out, '')
    assertNarrow(out)
  }
  for (const name of ['add', 'list', 'remove']) assertNarrow((await user.run('relay', 'server', name, '--help')).out)
})

test('add gives a line for where the meter would listen, and says what to do with it', async (t) => {
  const user = new User(t)
  const { out } = await user.run('relay', 'server', 'add', 'berlin', '--resp', '10.0.0.5:7431')
  const [, ip, port, token] = LINE.exec(out)!
  assert.deepEqual([ip, port], ['10.0.0.5', '7431'])
  const file = join(user.data, 'servers.json')
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), [{ name: 'berlin', token, version: null }])
  assert.match(out, /any\nother redis-statsdb/)
  assert.match(out, /when no call is up/)
  assert.match(out, /No meter is running/)
  assert.doesNotMatch(out, /only a coturn on this machine/)
  const drained = await user.run('relay', 'server', 'add', 'paris', '--version', '4.10.0', '--resp', '[::1]:7431')
  assert.match(drained.out, /kill -USR1/)
  assert.match(drained.out, /ip=::1 port=7431 /)
  assert.match(drained.out, /only a coturn on this machine reaches it/)
})

test('add: a port and an address that coturn cannot use are named', async (t) => {
  const user = new User(t)
  assert.match((await user.run('relay', 'server', 'add', 'a')).out, /line is known when the meter runs on a port/)
  const any = await user.run('relay', 'server', 'add', 'b', '--resp', '0.0.0.0:7431')
  assert.match(any.out, /instead of 0\.0\.0\.0/)
})

test('list and add say what the running meter says; nothing shows a token unasked', async (t) => {
  const user = new User(t)
  const meter = user.start('relay', 'serve')
  const line = (await meter.shows(LINE))[0]
  await meter.shows(/waiting for coturn/)
  const added = await user.run('relay', 'server', 'add', 'berlin', '--version', '4.6.1')
  const [own, , port] = LINE.exec(added.out)!
  assert.equal(port, LINE.exec(line)![2], 'the port that the meter got')
  assert.doesNotMatch(added.out, /No meter/)
  await meter.shows(/servers now: turn1, berlin/)
  const listed = await user.run('relay', 'server', 'list')
  assert.deepEqual([listed.status, listed.err], [0, ''])
  assert.match(listed.out, /^turn1 +- +no +- +[0-]$/m)
  assert.match(listed.out, /^berlin +4\.6\.1 +no +- +[0-]$/m)
  const json = await user.run('relay', 'server', 'list', '--json')
  const facts = { connected: false, lastEventAt: null, allocations: 0 }
  assert.deepEqual(JSON.parse(json.out), {
    schema: 'fettle.relay.servers/1',
    running: true,
    servers: [
      { name: 'turn1', version: null, ...facts },
      { name: 'berlin', version: '4.6.1', ...facts },
    ],
  })
  for (const { token } of JSON.parse(readFileSync(join(user.data, 'servers.json'), 'utf8'))) {
    assert(!(listed.out + json.out + listed.err + json.err).includes(token))
  }
  const lines = await user.run('relay', 'server', 'list', '--lines')
  assert(lines.out.includes(own!) && lines.out.includes(line))
  const { out: removed } = await user.run('relay', 'server', 'remove', 'berlin')
  assert.match(removed, /berlin is removed: from now on its coturn is refused/)
  await meter.shows(/servers now: turn1\n/)
  meter.interrupt()
  assert.equal((await meter.ended).status, 0)
  assert.match((await user.run('relay', 'server', 'list')).out, /No meter is running/)
})

test('list shows who is connected, when it was heard, what is open, and a line that two use', async (t) => {
  const user = new User(t)
  await user.run('relay', 'server', 'add', 'berlin')
  const meter = await fakeMeter(t, user.data)
  const known = { kind: 'coturn', version: null, boot: 1, malformed: 0, gapsToday: 0 } as const
  const berlin = { ...known, name: 'berlin', connected: true, connections: 3, allocations: 7, shared: true }
  meter.servers = { commit: 3, servers: [{ ...berlin, lastEventAt: '2026-11-22T15:34:24.123Z' }] }
  const { out } = await user.run('relay', 'server', 'list')
  assert.match(out, /^berlin +- +yes +11-22 15:34:24 +7$/m)
  assert.match(out, /^berlin: two coturns seem to use its line/m)
  assert.deepEqual(meter.tokens, ['Bearer its-token'])
  assertNarrow(out)
})

test('a meter that was killed is not running, whatever it left behind', async (t) => {
  const user = new User(t)
  await user.run('relay', 'server', 'add', 'berlin')
  const meter = await fakeMeter(t, user.data)
  await meter.vanish()
  const { status, out } = await user.run('relay', 'server', 'list')
  assert.equal(status, 0)
  assert.match(out, /No meter is running/)
})

const wrong: readonly (readonly [string, readonly string[], RegExp])[] = [
  ['no name', ['add'], /^fettle: missing required argument 'name'\n$/],
  ['a name with a space', ['add', 'a b'], /^fettle: "a b" is no name: 1 to 64 of .*\n$/],
  ['a name that steers the terminal', ['add', '\u009b31m\u202e'], /^fettle: "\\u009b31m\\u202e" is no name/],
  ['a name that is there', ['add', 'berlin'], /^fettle: berlin is there already; .*\n$/],
  ['a version that is none', ['add', 'b', '--version', 'latest'], /^fettle: "latest" is no version of coturn.*\n$/],
  ['a server that is not there', ['remove', 'rome'], /^fettle: "rome" is none of the servers: berlin\n$/],
  ['an unknown option', ['list', '--fly'], /^fettle: unknown option '--fly'\n$/],
  ['an unknown word', ['fly'], /^fettle: unknown command 'fly'\n$/],
  ['an address that is none', ['list', '--resp', 'nowhere'], /^fettle: --resp "nowhere": is no HOST:PORT/],
]
for (const [what, line, pattern] of wrong) {
  test(`${what}: one line, status 2, nothing changed`, async (t) => {
    const user = new User(t)
    await user.run('relay', 'server', 'add', 'berlin')
    const before = readFileSync(join(user.data, 'servers.json'), 'utf8')
    const { status, out, err } = await user.run('relay', 'server', ...line)
    assert.match(err, pattern)
    assert.deepEqual([status, out], [2, ''])
    assert.equal(err.trimEnd().split('\n').length, 1)
    assert.equal(readFileSync(join(user.data, 'servers.json'), 'utf8'), before)
  })
}

test('a folder that cannot be made, and a list that is none: one line, status 3', async (t) => {
  const user = new User(t)
  writeFileSync(user.path('file'), '')
  const folder = await user.run('relay', 'server', 'add', 'a', '--data', user.path('file'))
  assert.equal(folder.status, 3)
  assert.match(folder.err, /^fettle: .*file: cannot be made \(\w+\).*\n$/)
  await user.run('relay', 'server', 'add', 'a')
  writeFileSync(join(user.data, 'servers.json'), '{')
  const list = await user.run('relay', 'server', 'list')
  assert.equal(list.status, 3)
  assert.match(list.err, /^fettle: .*servers\.json: not a list of .*\n$/)
})
