import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { compare } from '@fettle/check/compare'
import { redisExplain } from '@fettle/redis'
import { sshExplain } from '@fettle/ssh'
import { User, words } from './terminal.ts'

const INFO = [
  'redis_version:7.0.15',
  'uptime_in_seconds:100',
  'total_commands_processed:10',
  'total_reads_processed:10',
  'used_cpu_sys:1',
  'used_cpu_user:1',
].join('\n')
const SLOW =
  '1) 1) (integer) 3\n   2) (integer) 1575614696\n   3) (integer) 12000\n   4) 1) "KEYS"\n      2) "a\\x1b[2J*"\n'

test('the examples of a tool run, and its help fits the terminal', async (t) => {
  const user = new User(t)
  writeFileSync(user.path('info.txt'), INFO)
  writeFileSync(user.path('slowlog.txt'), SLOW)
  const { out: help } = await user.run('redis', 'explain', '--help')
  for (const line of help.split('\n')) assert.ok(line.length <= 80, line)
  for (const example of redisExplain.examples) {
    assert.ok(help.includes(example), example)
    const given = words(example).map((word) => (word.endsWith('.txt') ? user.path(word) : word))
    const { status, out, err } = await user.run(...given)
    assert.deepEqual([status, err], [example.includes('slowlog') ? 1 : 0, ''], example)
    assert.ok(!out.includes('\u001b'), out)
    if (example.includes('--json')) assert.equal(JSON.parse(out).schema, 'fettle.report/1')
    else for (const line of out.split('\n')) assert.ok(line.length <= 80 || line.includes(user.home), line)
  }
})

const LOGIN = [
  '0.000 OpenSSH_9.2p1',
  '0.010 debug1: Connecting to host.example [192.0.2.1] port 22.',
  '0.020 debug1: Connection established.',
  '0.020 debug1: Local version string SSH-2.0-OpenSSH_9.2p1',
  '0.020 \u001b[2JWelcome\u001b]0;x\u0007',
  '3.020 debug1: Remote protocol version 2.0, remote software version OpenSSH_9.2p1\u001b[2J',
].join('\n')

test('the examples of ssh explain run, its help fits the terminal, and Windows writes UTF-16', async (t) => {
  const user = new User(t)
  writeFileSync(user.path('log.txt'), LOGIN)
  const { out: help } = await user.run('ssh', 'explain', '--help')
  for (const line of help.split('\n')) assert.ok(line.length <= 80, line)
  for (const example of sshExplain.examples) {
    assert.ok(help.includes(example), example)
    const { status, out, err } = await user.run(
      ...words(example).map((word) => (word === 'log.txt' ? user.path(word) : word)),
    )
    assert.deepEqual([status, err], [1, ''], example)
    assert.ok(!out.includes('\u001b'), out)
    if (example.includes('--json')) assert.equal(JSON.parse(out).findings[0].code, 'ssh.banner')
    else for (const line of out.split('\n')) assert.ok(line.length <= 80 || line.includes(user.home), line)
  }
  const { out: before } = await user.run('ssh', 'explain', user.path('log.txt'))
  writeFileSync(user.path('log.txt'), `\ufeff${LOGIN.replaceAll('\n', '\r\n')}`, 'utf16le')
  assert.equal((await user.run('ssh', 'explain', user.path('log.txt'))).out, before)
})

test('what is no log of ssh, and what is too large, is one line and status 3', async (t) => {
  const user = new User(t)
  writeFileSync(user.path('empty.txt'), '')
  writeFileSync(user.path('binary.txt'), Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919) % 256)))
  writeFileSync(user.path('large.txt'), Buffer.alloc(64 * 1024 * 1024 + 1, 'debug1: x\n'))
  for (const [file, pattern] of [
    ['empty.txt', /empty\.txt: no line is of ssh -v/],
    ['binary.txt', /binary\.txt: no line is of ssh -v/],
    ['large.txt', /large\.txt: is larger than 67108864 bytes/],
    ['none.txt', /none\.txt: cannot be read \(ENOENT\)/],
    ['.', /cannot be read \(EISDIR\)/],
  ] as const) {
    const { status, out, err } = await user.run('ssh', 'explain', user.path(file))
    assert.deepEqual([status, out, err.split('\n').length], [3, '', 2], file)
    assert.match(err, pattern)
  }
  assert.equal((await user.run('ssh', 'explain')).status, 2)
})

test('what cannot be explained is one line and status 3; a wrong request is 2', async (t) => {
  const user = new User(t)
  writeFileSync(user.path('letter.txt'), 'Dear all,\n\u001b[2Jnothing here\n')
  writeFileSync(user.path('empty.txt'), '')
  for (const [file, pattern] of [
    ['letter.txt', /letter\.txt: none of INFO, SLOWLOG GET/],
    ['empty.txt', /empty\.txt: none of INFO/],
    ['none.txt', /none\.txt: cannot be read \(ENOENT\)/],
  ] as const) {
    const { status, out, err } = await user.run('redis', 'explain', user.path(file))
    assert.deepEqual([status, out, err.split('\n').length], [3, '', 2])
    assert.match(err, pattern)
  }
  const { status, err } = await user.run('redis', 'explain')
  assert.deepEqual([status, err], [2, "fettle: missing required argument 'file'\n"])
})

test('a report is kept, and the last two are compared; files that are none are refused in one line', async (t) => {
  const user = new User(t)
  const nothing = await user.run('compare')
  assert.deepEqual([nothing.status, nothing.out], [3, ''])
  assert.match(nothing.err, /no report was kept here; run a command with --save\n$/)
  const info = (cpu: number) => INFO.replace('used_cpu_user:1', `used_cpu_user:${cpu}`)
  writeFileSync(user.path('info.txt'), info(9))
  const first = await user.run('redis', 'explain', user.path('info.txt'), '--save')
  assert.match(first.out, /\nkept: .*reports\/\S+-redis-explain-\S+\.json\n$/)
  assert.match((await user.run('compare')).err, /there is one report of redis explain .*a comparison needs two\n$/)
  writeFileSync(user.path('info.txt'), info(4))
  await user.run('redis', 'explain', user.path('info.txt'), '--save', '--json')
  const { status, out, err } = await user.run('compare')
  assert.deepEqual([status, err], [0, ''])
  assert.match(out, /^CPU for a command +1 s +500 ms +-50 % +not known how sure$/m)
  const [before, after] = readdirSync(join(user.data, 'reports')).map((name) => join(user.data, 'reports', name))
  for (const file of [before!, after!]) assert.equal(statSync(file).mode & 0o777, 0o600)
  const { out: help } = await user.run('compare', '--help')
  for (const example of compare.examples) {
    assert.ok(help.includes(example), example)
    const names = new Map([
      ['before.json', before!],
      ['after.json', after!],
    ])
    const run = await user.run(...words(example).map((word) => names.get(word) ?? word))
    assert.deepEqual([run.status, run.out], [0, out], example)
  }
  const json = JSON.parse((await user.run('compare', before!, after!, '--json')).out)
  assert.deepEqual([json.schema, json.tool], ['fettle.comparison/1', 'redis explain'])

  const report = JSON.parse(readFileSync(after!, 'utf8'))
  for (const [text, pattern] of [
    ['{', /is no JSON$/],
    ['[]', /is no report$/],
    ['{"schema":"fettle.report/9"}', /is no report of this version of fettle \(fettle\.report\/1\)$/],
    [JSON.stringify({ ...report, measures: [{ name: 1 }] }), /is a damaged report: "measures" is wrong$/],
    [JSON.stringify({ ...report, findings: [{}] }), /is a damaged report: "findings" is wrong$/],
  ] as const) {
    writeFileSync(user.path('other.json'), text)
    const refused = await user.run('compare', before!, user.path('other.json'))
    assert.deepEqual([refused.status, refused.out], [3, ''])
    assert.match(refused.err.trimEnd(), pattern)
  }
  writeFileSync(user.path('other.json'), JSON.stringify({ ...report, subject: 'another' }))
  const other = await user.run('compare', before!, user.path('other.json'))
  assert.deepEqual([other.status, other.err.includes('cannot be compared: one is of')], [2, true])
  assert.equal((await user.run('compare', before!)).status, 2)
})
