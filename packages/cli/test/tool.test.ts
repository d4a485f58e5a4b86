import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { redisExplain } from '@fettle/redis'
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

test('what cannot be explained is one line and status 3; a wrong request is 2', async (t) => {
  const user = new User(t)
  writeFileSync(user.path('letter.txt'), 'Dear all,\n\u001b[2Jnothing here\n')
  writeFileSync(user.path('empty.txt'), '')
  for (const [file, pattern] of [
    ['letter.txt', /letter\.txt: neither INFO nor SLOWLOG GET nor CLIENT LIST/],
    ['empty.txt', /empty\.txt: neither INFO/],
    ['none.txt', /none\.txt: cannot be read \(ENOENT\)/],
  ] as const) {
    const { status, out, err } = await user.run('redis', 'explain', user.path(file))
    assert.deepEqual([status, out, err.split('\n').length], [3, '', 2])
    assert.match(err, pattern)
  }
  const { status, err } = await user.run('redis', 'explain')
  assert.deepEqual([status, err], [2, "fettle: missing required argument 'file'\n"])
})
