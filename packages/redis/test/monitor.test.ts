import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noFacts } from '../src/core/facts.ts'
import { judge } from '../src/core/judge/judge.ts'
import { nothingYet } from '../src/core/look/look.ts'
import { readInfos } from '../src/core/read/info.ts'
import { busyAtMost, readMonitor, stampOf } from '../src/core/read/monitor.ts'

const T = 1795649091
const line = (at: number, client: string, ...words: string[]) =>
  `${(T + at).toFixed(6)} [0 ${client}] ${words.map((word) => `"${word}"`).join(' ')}`

test('a line is read whatever stands in it: quotes and brackets in words, IPv6, sockets, bytes', () => {
  const read = (text: string) => readMonitor(text).map(({ client, words }) => [client, ...words])
  assert.deepEqual(read(line(0, '[::1]:5000', 'SET', 'a\\"] \\"b', '\\xc3\\xa9\\n')), [
    ['[::1]:5000', 'SET', 'a"] "b', '\u00c3\u00a9\n'],
  ])
  assert.deepEqual(read(`+${line(0, 'unix:/run/a b.sock', 'GET', 'x')}`), [['unix:/run/a b.sock', 'GET', 'x']])
  assert.deepEqual(read(line(0, '127.0.0.1:1', 'JSON.GET', '')), [['127.0.0.1:1', 'JSON.GET', '']])
  for (const text of ['', 'OK', line(0, 'x', 'GET').slice(0, -1), `${T} [0 x] "GET"`, `${T}.123456 [0 x] GET`]) {
    assert.deepEqual(read(text), [], text)
  }
})

test('[D6] what a script calls is its caller’s', () => {
  const text = [
    line(0, '10.0.0.1:1', 'EVAL', 's', '0'),
    line(0.001, 'lua', 'get', 'a'),
    line(0.002, '10.0.0.2:2', 'GET', 'b'),
  ]
  assert.deepEqual(
    readMonitor(text.join('\n')).map(({ client, isInner }) => [client, isInner]),
    [
      ['10.0.0.1:1', false],
      ['10.0.0.1:1', true],
      ['10.0.0.2:2', false],
    ],
  )
})

test('[D6] a time is that of the start up to 6.2.3, and of the end from 6.2.4 on', () => {
  const versions = ['2.8.24', '5.0.14', '6.0.20', '6.2.3', '6.2.4', '6.2.14', '7.0.15', '8.0.1', '6.4.0']
  assert.deepEqual(versions.map(stampOf), ['start', 'start', 'start', 'start', 'end', 'end', 'end', 'end', 'end'])
  assert.deepEqual([stampOf(undefined), stampOf('unstable')], [undefined, undefined])
})

test('[D6] a slow command is the one that others waited for, in both kinds of time; a pause is nobody’s', () => {
  // KEYS takes from 0.1 to 0.6 s; two others wait for it.
  const others = [line(0.6001, '2:2', 'GET', 'a'), line(0.6002, '3:3', 'GET', 'b')]
  const busy = (stamp: 'start' | 'end', ...lines: string[]) =>
    busyAtMost(readMonitor(lines.join('\n')), stamp).map((one) => one && Number(one.toFixed(3)))
  const before = line(0.1, '2:2', 'GET', 'c')
  assert.deepEqual(busy('end', before, line(0.6, '1:1', 'KEYS', '*'), ...others), [null, 0.5, null, null])
  assert.deepEqual(busy('start', before, line(0.1001, '1:1', 'KEYS', '*'), ...others), [null, 0.5, null, null])
  // Half a second of nothing, and then one comes alone.
  assert.deepEqual(busy('end', before, line(0.6, '1:1', 'KEYS', '*'), line(0.9, '2:2', 'GET', 'a')), [null, null, null])
  // A blocking command waits itself.
  assert.deepEqual(busy('end', before, line(0.6, '1:1', 'BLPOP', 'q', '0'), ...others), [null, null, null, null])
})

test('[D6] between two bursts nobody has looked: it is no time in which anybody held the server up', () => {
  const calls = (at: number) => ['1:1', '2:2', '3:3'].map((client, i) => line(at + i / 1e4, client, 'GET', 'a'))
  const monitor = readMonitor([...calls(1), ...calls(2)].join('\n'))
  const infos = readInfos(
    ['redis_version:7.0.15', 'run_id:a', 'role:master', 'used_memory:1', 'total_commands_processed:9'].join('\n'),
  )
  const told = (lines: readonly number[]) => {
    const bursts = lines.map((count, i) => ({ at: i, milliseconds: 5, lines: count }))
    const { findings } = judge({ ...noFacts, infos, monitor, live: { ...nothingYet, bursts } })
    return findings.map(({ code }) => code)
  }
  assert.deepEqual(told([3, 0, 3]), [])
  assert.deepEqual(told([6]), ['redis.held-up-by-get'])
})
