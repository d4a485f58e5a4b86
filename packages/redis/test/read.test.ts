/** What Redis and redis-cli print, read back. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { learnFrom, noFacts } from '../src/core/facts.ts'
import { isAnother, loadOf } from '../src/core/load.ts'
import { readClients } from '../src/core/read/clients.ts'
import { readQuoted } from '../src/core/read/escapes.ts'
import { readInfos } from '../src/core/read/info.ts'
import { readReplies } from '../src/core/read/reply.ts'
import { readSlowlog } from '../src/core/read/slowlog.ts'
import { keyOf } from '../src/core/use/key.ts'
import { patternOf } from '../src/core/use/pattern.ts'

test('quoted strings are read as they were written, however they are escaped', () => {
  assert.deepEqual(readQuoted('x "a\\"b\\\\c\\n\\x00\\xff\\a" y', 2), { value: 'a"b\\c\n\u0000\u00ff\u0007', end: 23 })
  assert.deepEqual(readQuoted('"] \\" ["', 0), { value: '] " [', end: 8 })
  assert.equal(readQuoted('"never ends\\"', 0), undefined)
  assert.equal(readQuoted('"ends in \\', 0), undefined)
})

test('lists in lists are read by their columns, with two digits as with one', () => {
  const text = [' 9) 1) (integer) 1', '    2) 1) "a"', '       2) "b"', '10) 1) (nil)', '    2) (empty array)'].join(
    '\n',
  )
  assert.deepEqual(readReplies(text), [
    [
      [1, ['a', 'b']],
      [null, []],
    ],
  ])
})

test('[D4] an entry of the slow log of every version: with client and name from 4.0 on, without before', () => {
  const words = '   4) 1) "GET"\n      2) "a b"\n'
  const old = `1) 1) (integer) 3\n   2) (integer) 1575614696\n   3) (integer) 12000\n${words}`
  const entry = { id: 3, at: 1575614696, seconds: 0.012, words: ['GET', 'a b'] }
  assert.deepEqual(readSlowlog(old), [{ ...entry, client: null, clientName: null }])
  const named = readSlowlog(`${old}   5) "10.0.0.5:4711"\n   6) "web"\n`)
  assert.deepEqual(named, [{ ...entry, client: '10.0.0.5:4711', clientName: 'web' }])
  for (const text of ['', '1) (integer) 3', '1) 1) (integer) 3\n   2) "x"', `1) ${'1) '.repeat(500)}"deep"`]) {
    assert.deepEqual(readSlowlog(text), [])
  }
})

test('[D4] keys are folded by what changes from one to the next, and nobody’s data is left', () => {
  for (const [key, pattern] of [
    ['user:4711:profile', 'user:*:profile'],
    ['session:9f86d081884c7d65', 'session:*'],
    ['order/550e8400-e29b-41d4-a716-446655440000/items', 'order/*/items'],
    ['cart:de305d54-75b4-431b-adb2-eb6b9e546014', 'cart:*'],
    ['queue:big', 'queue:big'],
    [
      'turn/realm/example.org/user/1795:ann/allocation/000000000000000001/status',
      'turn/realm/example.org/user/*:ann/allocation/*/status',
    ],
    ['v2.user12.3', 'v*.user*.*'],
    [`blob:${'x'.repeat(41)}`, 'blob:*'],
    ['', ''],
  ]) {
    assert.equal(patternOf(key!), pattern)
  }
})

test('[D4] the key of a command is found wherever it stands in it', () => {
  for (const [command, key] of [
    ['GET user:4711:profile', 'user:*:profile'],
    ['EVAL s 1 rate:77 10', 'rate:*'],
    ['EVAL s 0 10', ''],
    ['BLMPOP 5 1 queue:mail LEFT', 'queue:mail'],
    ['XREADGROUP GROUP billing one COUNT 10 BLOCK 500 STREAMS events:7 >', 'events:*'],
    ['XREAD BLOCK 0 streams log $', 'log'],
    ['XGROUP CREATE events billing $', 'events'],
    ['OBJECT ENCODING user:1', 'user:*'],
    ['ZUNION 2 board:1 board:2', 'board:*'],
    ['SCAN 512 MATCH lock:* COUNT 10', 'lock:*'],
    ['scan 512', ''],
    ['PING', ''],
    ['PUBLISH news hello', ''],
  ]) {
    assert.equal(keyOf(command!.split(' ')), key, command)
  }
  assert.equal(keyOf(['GET', 'user:4711'], true), 'user:4711')
})

test('[D5] a restart or a reset between two INFOs makes no window', () => {
  const info = (run: string, uptime: number, commands: number) =>
    [
      `redis_version:7.0.15`,
      `run_id:${run}`,
      `uptime_in_seconds:${uptime}`,
      `total_commands_processed:${commands}`,
      `used_memory:1`,
    ].join('\n')
  for (const [second, over] of [
    [info('a', 70, 200), 'window'],
    [info('b', 70, 200), 'life'],
    [info('a', 5, 200), 'life'],
    [info('a', 70, 10), 'life'],
  ] as const) {
    const infos = readInfos(`${info('a', 10, 100)}\n${second}`)
    const load = loadOf({ ...noFacts, infos })
    assert.ok(!('problem' in load))
    assert.deepEqual([infos.length, load.over, isAnother(infos[0]!, infos[1]!)], [2, over, over === 'life'])
  }
})

test('INFO is read with headers and without, with any line ends, and what is none is passed over', () => {
  const text =
    '# Server\r\nredis_version:7.0.15\r\n\r\nStats\r\ntotal_commands_processed:5\r\nused_cpu_sys:x\r\na:1\r\nb:2\r\n'
  const [info] = readInfos(text)
  assert.equal(info!.fields.get('total_commands_processed'), '5')
  // Each module has a line of the same name.
  assert.equal(readInfos(`module:name=a,ver=1\nmodule:name=b,ver=1\n${text}`).length, 1)
  assert.deepEqual(readInfos('see http://example.org\nnote: this is no INFO\n'), [])
  assert.equal(learnFrom(noFacts, 'nothing of the kind\n\u0000\u001b[2J'), undefined)
})

test('a client is read by its names, with IPv6 and sockets, and with what newer servers add', () => {
  const line =
    'id=7 addr=[::1]:5000 laddr=[::1]:6379 fd=8 name=web age=12 idle=0 flags=O db=0 cmd=client|list omem=77 tot-cmds=99'
  assert.deepEqual(readClients(`${line}\nid=8 addr=/run/redis.sock:0 flags=N cmd=GET\nno client`), [
    {
      id: 7,
      address: '[::1]:5000',
      name: 'web',
      ageSeconds: 12,
      flags: 'O',
      command: 'client|list',
      subscriptions: 0,
      outputBytes: 77,
      totalCommands: 99,
    },
    {
      id: 8,
      address: '/run/redis.sock:0',
      name: '',
      ageSeconds: 0,
      flags: 'N',
      command: 'get',
      subscriptions: 0,
      outputBytes: 0,
      totalCommands: null,
    },
  ])
})
