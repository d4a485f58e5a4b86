import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import type { Check } from '../../src/check.ts'
import { doctorExamples } from '../../src/relay/doctor.ts'
import { type Run, User, words } from '../terminal.ts'
import { type FakeMeter, fakeMeter } from './fake-meter.ts'

const checksOf = ({ out }: Run) => JSON.parse(out).checks as Check[]
const find = (run: Run, code: string) => checksOf(run).find((one) => one.code === code)
const levels = (run: Run) => Object.fromEntries(checksOf(run).map(({ code, level }) => [code, level]))

function assertNarrow(text: string): void {
  for (const line of text.split('\n')) {
    // A path or a line of configuration stays in one piece.
    const wide = line
      .trim()
      .split(' ')
      .some((word) => word.length > 40)
    assert(line.length <= 80 || wide, line)
  }
}

/** A meter that runs, and a coturn that has said one name. */
async function meterOf(t: TestContext, usernames: readonly string[], ...flags: string[]) {
  const user = new User(t)
  const meter = user.start('relay', 'serve', ...flags)
  const [, port, token] = await meter.shows(/^redis-statsdb=".* port=(\d+) password=(\S+) /m)
  await meter.shows(/waiting for coturn/)
  const coturn = connect({ host: '127.0.0.1', port: Number(port) })
  t.after(() => coturn.destroy())
  coturn.write(request('AUTH', token!))
  for (const [i, name] of usernames.entries()) {
    const path = `turn/realm/r/user/${name}/allocation/${String(i + 1).padStart(18, '0')}`
    coturn.write(request('PUBLISH', `${path}/status`, 'new lifetime=600, type=UDP, local=1.1.1.1:1, remote=2.2.2.2:2'))
  }
  await once(coturn, 'connect')
  coturn.resume()
  await user.run('relay', 'server', 'list')
  return { user, meter, coturn, port: port!, token: token! }
}

/** A request as hiredis writes it. */
const request = (...parts: readonly string[]) =>
  `*${parts.length}\r\n${parts.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join('')}`

/** Runs until it says this of a check. */
async function until(user: User, code: string, level: string): Promise<Run> {
  for (let tries = 0; ; tries++) {
    const run = await user.run('relay', 'doctor', '--json')
    const found = find(run, code)
    if (found?.level === level || tries === 200) {
      assert.equal(found?.level, level, run.out)
      return run
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

test('the examples in help run, and all is well with a meter whose coturn reports', async (t) => {
  const { user, port, token } = await meterOf(t, ['1795448064:alice'])
  await until(user, 'server', 'ok')
  await until(user, 'template', 'ok')
  const conf = user.path('turnserver.conf')
  writeFileSync(conf, `redis-statsdb="ip=127.0.0.1 port=${port} password=${token}"\n`, { mode: 0o600 })
  const { out: help } = await user.run('relay', 'doctor', '--help')
  for (const example of doctorExamples) {
    assert(help.includes(example), example)
    const line = words(example).map((word) => (word === './turnserver.conf' ? conf : word))
    const { status, out, err } = await user.run(...line)
    assert.equal(err, '')
    assert(!out.includes(token))
    if (example.includes('--json')) assert.deepEqual(levels({ status, out, err }), allWell)
    // What its version is known for is another matter.
    if (!example.includes('conf')) assert.equal(status, 0, out)
    else assert.match(out, /^ok {7}\S+turnserver\.conf has the line of turn1\.$/m)
    if (!example.includes('--json')) assertNarrow(out)
  }
  for (const line of help.split('\n')) assert(line.length <= 80, line)
})

const allWell = {
  folder: 'ok',
  meter: 'ok',
  server: 'ok',
  disk: 'ok',
  clock: 'ok',
  gaps: 'ok',
  malformed: 'ok',
  rejected: 'ok',
  template: 'ok',
  coturn: 'ok',
}

test('a coturn that has never connected is a problem, with the way to its line', async (t) => {
  const user = new User(t)
  const meter = user.start('relay', 'serve')
  await meter.shows(/waiting for coturn/)
  const { status, out } = await user.run('relay', 'doctor')
  assert.equal(status, 1)
  assert.match(out, /^problem {2}The coturn "turn1" has never connected\.\n {11}.*/m)
  assert.match(out, /fettle relay server list --lines/)
  assert.match(out, /^1 problem\.$/m)
  assertNarrow(out)
})

test('names that do not fit come with a template that might, and examples that steer no terminal', async (t) => {
  const names = ['1795448064|a_web', '1795448065|b_web', '1795448066|\u001b[31mc_app', '1795448067|d_app']
  const { user } = await meterOf(t, names)
  await until(user, 'misfits', 'warning')
  const { status, out } = await user.run('relay', 'doctor')
  assert.equal(status, 1)
  assert.match(out, /0 of 4 recent usernames fit the meter's template/)
  assert.match(out, /Do these parts mean something\? \{device\}_\{part2\}/)
  assert.match(out, /\{device\}: such as .*"1795448066\|\\u001b\[31mc"/)
  assert(!out.includes('\u001b'))
  assertNarrow(out)
})

test('names that fit and seem to hold more are a hint, not a fault', async (t) => {
  const { user } = await meterOf(t, ['1795448064:a_web', '1795448065:b_app'])
  await until(user, 'server', 'ok')
  const run = await until(user, 'template', 'ok')
  assert.equal(run.status, 0, run.out)
  assert.match(JSON.stringify(find(run, 'template')), /\{expires\}:\{device\}_\{part2\}/)
})

test('no meter: what can be seen without it', async (t) => {
  const { user, meter } = await meterOf(t, ['alice'])
  await until(user, 'misfits', 'warning')
  meter.interrupt()
  await meter.ended
  const run = await user.run('relay', 'doctor', '--json')
  assert.equal(run.status, 1)
  const { meter: level, port, misfits, clock } = levels(run)
  assert.deepEqual([level, port, misfits, clock], ['problem', 'ok', 'warning', 'ok'])
  assert.match(JSON.stringify(find(run, 'meter')), /fettle relay serve --data/)
  const fitted = await user.run('relay', 'doctor', '--json', '--username', '{device}')
  assert.equal(find(fitted, 'template')?.level, 'ok')
})

test('what the running meter finds is told, each thing once', async (t) => {
  const user = new User(t)
  await user.run('relay', 'server', 'add', 'berlin')
  const meter: FakeMeter = await fakeMeter(t, user.data)
  const finding = (code: string, level: 'problem' | 'warning') =>
    ({ code, level, text: `Text of ${code} \u009b31m.`, remedy: `Remedy of ${code}.` }) as const
  meter.ready = {
    ready: false,
    commit: 7,
    lagSeconds: 20,
    diskFreeBytes: 5e7,
    servers: [{ kind: 'coturn', name: 'berlin', connected: true, lastEventAt: null }],
    findings: [finding('disk-full', 'problem'), finding('gap-stall', 'warning'), finding('store-failing', 'problem')],
  }
  const run = await user.run('relay', 'doctor', '--json')
  assert.equal(run.status, 1)
  const found = levels(run)
  assert.deepEqual(found['disk-full'], 'problem')
  assert.equal(checksOf(run).filter(({ code }) => /^(disk|gap)/.test(code)).length, 2)
  assert.equal(found['store-failing'], 'problem')
  assert.match(JSON.stringify(find(run, 'server')), /berlin is connected, no event yet/)
  assert.equal(find(run, 'disk-full')?.text, 'Text of disk-full \u009b31m.')
  assert(!run.out.includes('\u009b'), 'an escape in JSON is the letter itself')
  const { out } = await user.run('relay', 'doctor')
  assert.match(out, /^problem {2}Text of disk-full \\u009b31m\.\n {11}Remedy of disk-full\.$/m)
  assert.deepEqual(meter.asked, ['/readyz', '/readyz'])
})

test('a meter that was killed leaves an address behind, and is not running', async (t) => {
  const user = new User(t)
  const meter = await fakeMeter(t, user.data)
  await meter.vanish()
  assert.match((await user.run('relay', 'doctor')).out, /^problem {2}No meter is running\.$/m)
})

test('a meter that holds the folder and does not answer is a problem', async (t) => {
  const user = new User(t)
  await fakeMeter(t, user.data)
  const file = join(user.data, 'running.json')
  const running = JSON.parse(readFileSync(file, 'utf8'))
  writeFileSync(file, JSON.stringify({ ...running, http: 'http://127.0.0.1:1' }))
  assert.match((await user.run('relay', 'doctor')).out, /^problem {2}A meter runs and does not answer: /m)
  writeFileSync(file, JSON.stringify({ ...running, http: null }))
  assert.match((await user.run('relay', 'doctor')).out, /^ok {7}A meter runs since .*it\s+serves\s+no\s+API/ms)
  writeFileSync(file, '')
  assert.match((await user.run('relay', 'doctor')).out, /^warning {2}A meter holds .*it starts or stops/ms)
})

test('a port that another program has, and an address that this machine has not', async (t) => {
  const user = new User(t)
  mkdirSync(user.data, { mode: 0o700 })
  const other = createServer().listen(0, '127.0.0.1')
  t.after(() => other.close())
  await once(other, 'listening')
  const at = `127.0.0.1:${(other.address() as AddressInfo).port}`
  const taken = await user.run('relay', 'doctor', '--json', '--resp', at)
  assert.deepEqual(find(taken, 'port')?.text, `${at} is taken by another program.`)
  const absent = await user.run('relay', 'doctor', '--json', '--resp', '192.0.2.1:7431')
  assert.match(find(absent, 'port')!.text, /^Nothing can listen on 192\.0\.2\.1:7431 \(EADDRNOTAVAIL\)/)
})

test('records of the future, gaps, what could not be read and what nobody owns', async (t) => {
  const { user, meter } = await meterOf(t, ['1795448064:alice'])
  await until(user, 'template', 'ok')
  meter.interrupt()
  await meter.ended
  const db = new DatabaseSync(join(user.data, 'ledger.sqlite'))
  const now = Date.now()
  const gap = db.prepare('INSERT INTO gap VALUES (1, ?, ?, ?)')
  gap.run(now - 3 * 86_400_000, now - 2 * 86_400_000, 'overflow')
  gap.run(now - 2000, now - 1000, 'stall')
  gap.run(now - 40_000, now - 2000, 'restart')
  db.exec('UPDATE stream SET malformed = 3')
  db.prepare("INSERT INTO rejected VALUES ('x', 1, 'r', 'mallory', ?, ?, 5, 0,0,0,0, 0,0,0,0)").run(now, now)
  const run = await user.run('relay', 'doctor', '--json')
  assert.match(find(run, 'gaps')!.text, /: turn1 1 \(the meter stood still\)\.$/)
  assert.match(find(run, 'malformed')!.text, /: 3 of turn1\.$/)
  assert.match(find(run, 'rejected')!.text, /^5 allocations .* billed to nobody/)
  assert.equal(find(run, 'clock')!.level, 'ok')
  gap.run(now, now + 3_600_000, 'restart')
  db.close()
  const later = await user.run('relay', 'doctor', '--json')
  assert.match(find(later, 'clock')!.text, /reach (59|60) min into the future/)
})

test('a folder that others can read, and a ledger that cannot be read', async (t) => {
  const user = new User(t)
  mkdirSync(user.data)
  chmodSync(user.data, 0o755)
  writeFileSync(join(user.data, 'ledger.sqlite'), 'not a ledger, whatever it is called'.repeat(100))
  const run = await user.run('relay', 'doctor', '--json')
  assert.match(JSON.stringify(find(run, 'folder')), /chmod go= /)
  assert.equal(find(run, 'ledger')?.level, 'problem')
})

test('a configuration that everybody can read, and one that was changed', async (t) => {
  const user = new User(t)
  await user.run('relay', 'server', 'add', 'berlin', '--resp', '127.0.0.1:7431')
  const [{ token }] = JSON.parse(readFileSync(join(user.data, 'servers.json'), 'utf8'))
  const conf = user.path('turnserver.conf')
  writeFileSync(conf, `redis-statsdb="ip=127.0.0.1 port=7431 password=${token}"\n`)
  chmodSync(conf, 0o644)
  const flags = ['--json', '--resp', '127.0.0.1:7431', '--turnserver-conf', conf]
  const run = await user.run('relay', 'doctor', ...flags)
  assert.equal(find(run, 'statsdb')?.level, 'ok')
  assert.match(find(run, 'configuration-open')!.text, /password of berlin/)
  assert(!run.out.includes(token))
  chmodSync(conf, 0o640)
  assert.equal(find(await user.run('relay', 'doctor', ...flags), 'configuration-open'), undefined)
})

const cannot: readonly (readonly [string, readonly string[], number, RegExp])[] = [
  [
    'no folder',
    ['--data', '/nowhere/at/all'],
    3,
    /^fettle: \/nowhere\/at\/all: no meter has run here; start one .*\n$/,
  ],
  ['a file for a folder', ['--data', '/dev/null'], 3, /^fettle: \/dev\/null: is no folder; give another --data\n$/],
  ['no configuration', ['--turnserver-conf', '/nowhere'], 3, /^fettle: \/nowhere: cannot be read \(ENOENT\)\n$/],
  ['a template that is none', ['--username', '{x}'], 2, /^fettle: --username "\{x\}": has no \{device\}.*\n$/],
]
for (const [what, line, expected, pattern] of cannot) {
  test(`${what}: one line, status ${expected}`, async (t) => {
    const user = new User(t)
    mkdirSync(user.data, { mode: 0o700 })
    const { status, out, err } = await user.run('relay', 'doctor', ...line)
    assert.deepEqual([status, out], [expected, ''])
    assert.match(err, pattern)
  })
}
