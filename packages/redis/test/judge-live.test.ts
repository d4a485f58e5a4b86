/** What is found in a look at a server that runs: by how often, for how long, and by whom. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Finding } from '@fettle/report'
import { type Facts, type Live, noFacts } from '../src/core/facts.ts'
import { judge } from '../src/core/judge/judge.ts'
import { nothingYet } from '../src/core/look/look.ts'
import { nothingOwn } from '../src/core/look/own.ts'
import { readClients } from '../src/core/read/clients.ts'
import { readInfos } from '../src/core/read/info.ts'
import type { SlowEntry } from '../src/core/read/slowlog.ts'

/** Ten seconds, with what has grown in them. */
function facts(
  more: Readonly<Record<string, number | string>>,
  known: Partial<Facts>,
  live: Partial<Live> = {},
): Facts {
  const always = { run_id: 'a', used_cpu_sys: 1, used_cpu_user: 1, used_memory: 1e6 }
  const first = { ...always, uptime_in_seconds: 100, total_commands_processed: 0, total_connections_received: 0 }
  const last = {
    ...always,
    uptime_in_seconds: 110,
    total_commands_processed: 1000,
    total_connections_received: 0,
    ...more,
  }
  const counted = { total_reads_processed: 0, total_net_input_bytes: 0, total_net_output_bytes: 0 }
  const text = (fields: object) =>
    Object.entries(fields)
      .map(([name, value]) => `${name}:${value}`)
      .join('\n')
  const infos = readInfos(
    `${text({ ...first, ...counted })}\n${text({ ...last, total_reads_processed: 300, ...pick(more) })}`,
  )
  return { ...noFacts, infos, ...known, live: { ...nothingYet, ...live } }
}

const pick = (more: object) => ({ total_net_input_bytes: 0, total_net_output_bytes: 0, ...more })

const entry = (seconds: number, words: readonly string[], client: string, clientName: string | null): SlowEntry => ({
  id: 1,
  at: 1795649091,
  seconds,
  words,
  client,
  clientName,
})
const slow = (seconds: number, ...words: string[]) => entry(seconds, words, '10.0.0.5:4711', 'web')
const told = (all: Facts) => judge(all).findings.map(({ severity, code }) => [severity, code])
const stats = (calls: number, usec: number) => `calls=${calls},usec=${usec},usec_per_call=1.0`

test('[D14] what is slow too seldom for anybody to notice is a note; what is so often or for long is a fault', () => {
  const keys = (times: number, seconds: number, over = 10) => {
    const fields = { uptime_in_seconds: 100 + over, cmdstat_keys: stats(times, times * seconds * 1e6) }
    return told(facts(fields, { slow: Array(times).fill(slow(seconds, 'KEYS', 'a*')) }))
  }
  assert.deepEqual(keys(2, 0.02), [['note', 'redis.slow-keys']])
  assert.deepEqual(keys(10, 0.02), [['fault', 'redis.slow-keys']])
  assert.deepEqual(keys(1, 0.15, 100), [['fault', 'redis.slow-keys']])
})

test('[D14] a command that takes no time by itself is slow where the CPU was taken from it: no fault of its own', () => {
  const set = (calls: number, times: number) =>
    told(facts({ cmdstat_set: stats(calls, 300_000) }, { slow: Array(times).fill(slow(0.12, 'SET', 'a:1', 'x')) }))
  assert.deepEqual(set(1000, 2), [['note', 'redis.slow-set']])
  assert.deepEqual(set(100, 2), [['fault', 'redis.slow-set']])
  const scans = { cmdstat_scan: stats(3000, 150_000) }
  const scan = Array(5).fill(slow(0.03, 'SCAN', '0', 'MATCH', 'lock:*'))
  assert.deepEqual(told(facts(scans, { slow: scan })), [['note', 'redis.slow-scan']])
})

test('[D14] a command that takes much is found though the slow log has a few of its calls', () => {
  const lrange = (times: number) =>
    told(facts({ cmdstat_lrange: stats(100, 900_000) }, { slow: Array(times).fill(slow(0.012, 'LRANGE', 'q', '0')) }))
  assert.deepEqual(lrange(1), [
    ['fault', 'redis.heavy-lrange'],
    ['note', 'redis.slow-lrange'],
  ])
  assert.deepEqual(lrange(60), [['fault', 'redis.slow-lrange']])
})

test('[D14] a command that takes most of next to nothing is no fault: one BGSAVE of an idle server', () => {
  const bgsave = (calls: number, usec: number) => told(facts({ cmdstat_bgsave: stats(calls, usec) }, {}))
  assert.deepEqual(bgsave(1, 6000), [])
  assert.deepEqual(bgsave(1, 120_000), [['fault', 'redis.heavy-bgsave']])
  assert.deepEqual(bgsave(30, 180_000), [['fault', 'redis.heavy-bgsave']])
})

/** Four windows with the same in each, of the connections by turns. */
function windows(...calls: readonly SlowEntry[]): Partial<Live> {
  const one = { at: 1, entries: calls, logged: calls.length }
  return { windows: [one, one, one, one], name: 'fettle-1' }
}
const called = (who: string, port: number, ...words: string[]) => entry(0.00001, words, `10.0.0.5:${port}`, who)
const sampled = ({ evidence }: Finding) => evidence.filter(({ source }) => source === 'sampled').map(({ text }) => text)
const found = (all: Facts, code: string) => judge(all).findings.find((one) => one.code === code)!

test('[D15] who connects again and again is named by its connections, and who keeps one is not', () => {
  const php = [1, 2, 3, 4].map((port) => called('php', port, 'GET', 'a:1'))
  const web = Array.from({ length: 20 }, () => called('web', 9, 'GET', 'a:1'))
  const all = facts({ total_connections_received: 400, cmdstat_get: stats(1000, 1000) }, {}, windows(...php, ...web))
  assert.deepEqual(sampled(found(all, 'redis.connection-churn')), ['php: 4 connections for 16 commands'])
})

test('[D15] who sends big values is named by the size that the log tells, and who reads them by the time', () => {
  const cut = `${'x'.repeat(100)}... (999872 more bytes)`
  const calls = [called('exporter', 1, 'SET', 'export:1', cut), called('web', 2, 'SET', 'session:1', 'x')]
  const bytes = { total_net_input_bytes: 2e8, total_commands_processed: 2000 }
  const all = facts({ ...bytes, cmdstat_set: stats(2000, 20_000) }, {}, windows(...calls))
  const texts = sampled(found(all, 'redis.big-values'))
  assert.equal(texts[0], 'SET export:* from exporter: 1 MB sent at once')
  assert.match(texts[1]!, /^SET (?:export|session):\* from .* 50 % of the time spent on executing$/)
})

test('[D15] who fills a memory that is full is named by the bytes that he has sent', () => {
  const calls = [called('web', 1, 'GET', 'user:1'), called('cache', 2, 'SET', 'page:1', 'x'.repeat(900))]
  const all = facts({ evicted_keys: 5, cmdstat_set: stats(500, 500) }, {}, windows(...calls))
  assert.deepEqual(sampled(found(all, 'redis.evicting')), ['SET page:* from cache: 99 % of all that was sent'])
})

const TINY = 'redis.tiny-requests'

test('[D15] who sends very many small requests is named by its part in them', () => {
  const many = { total_commands_processed: 80_000, total_reads_processed: 80_000, total_net_input_bytes: 3e6 }
  const get = (times: number, who: string, key: string) =>
    Array.from({ length: times }, (_, port) => called(who, port, 'GET', key))
  const calls = [...get(1, 'api', 'order:1'), ...get(4, 'web', 'user:1'), ...get(15, 'poller', 'flag:7')]
  const texts = sampled(found(facts({ ...many, cmdstat_get: stats(80_000, 80_000) }, {}, windows(...calls)), TINY))
  assert.deepEqual(
    texts.map((text) => text.split(':')[0]),
    ['GET flag', 'GET user'],
  )
  assert.match(texts[0]!, /^GET flag:\* from poller: 75 %$/)
})

test('[D13] that no password was asked for is known by having come in; a coturn by what was slow before, or is sampled', () => {
  const settings = new Map([
    ['bind', '0.0.0.0'],
    ['protected-mode', 'no'],
    ['timeout', '60'],
  ])
  const codes = (live: Partial<Live>) => told(facts({}, { settings }, live)).map(([, code]) => code)
  assert.deepEqual(codes({ isOpen: true }), ['redis.no-password'])
  assert.deepEqual(codes({ isOpen: false }), [])
  const before = [slow(0.02, 'KEYS', 'turn/*/allocation/*/status')]
  assert.deepEqual(codes({ before }).sort(), ['redis.cuts-off-coturn', 'redis.slow-before'])
  const publish = (channel: string) => windows(called('', 1, 'PUBLISH', channel, 'rcvp=1024'))
  assert.deepEqual(codes(publish('turn/realm/example.org/user/ann/allocation/1/traffic')), ['redis.cuts-off-coturn'])
  assert.deepEqual(codes(publish('news')), [])
})

test('[D10] how many commands each client has sent is exact where the server counts it', () => {
  const list = (...lines: readonly string[]) =>
    readClients(lines.map((one) => `id=${one.replace(' ', ' addr=10.0.0.5:4711 ')}`).join('\n'))
  const live = { name: 'fettle-1', clientsBefore: list('3 name=web tot-cmds=100', '4 name=jobs tot-cmds=7') }
  const clients = list(
    '3 name=web tot-cmds=400',
    '5 name=web tot-cmds=20',
    '4 name=jobs tot-cmds=7',
    '9 name=fettle-1 tot-cmds=90',
  )
  const table = (known: Partial<Facts>) => judge(facts({}, known, live)).tables.find(({ name }) => name === 'clients')
  assert.deepEqual(table({ clients })?.rows, [
    ['web', { value: 320, unit: '1' }],
    ['jobs', { value: 0, unit: '1' }],
  ])
  assert.equal(table({ clients: list('3 name=web') }), undefined)
})

test('what slow commands took of the time is told with an interval that holds it, and of no time that nobody watched', () => {
  const keys = Array.from({ length: 8 }, (_, i) => ({ ...slow(0.02, 'KEYS', 'a*'), id: i + 1, at: 5 }))
  const moments = [0, 2, 4, 6, 8].map((newest, i) => ({ at: i, own: nothingOwn, newest }))
  const infoOf = (i: number) =>
    `run_id:a\nuptime_in_seconds:${i + 9}\ntotal_commands_processed:${i * 50}\nserver_time_usec:${i * 1e6 + 5.4e6}\nx:1`
  const settings = new Map([['slowlog-log-slower-than', '10000']])
  const all = (infos: Facts['infos']): Facts => ({
    ...noFacts,
    infos,
    settings,
    slow: keys,
    live: { ...nothingYet, moments },
  })
  const blockedOf = (facts: Facts) => judge(facts).measures.find(({ name }) => name === 'blocked')?.quantity
  const infos = readInfos([0, 1, 2, 3, 4].map(infoOf).join('\n'))
  const { value, low, high } = blockedOf(all(infos))!
  assert.deepEqual(
    [value, low, high].map((one) => Math.round(one! * 1e6) / 1e6),
    [0.04, 0.04, 0.04],
  )
  const reset = readInfos([4, 5, 0].map(infoOf).join('\n'))
  assert.equal(blockedOf(all(reset)), undefined)
})
