/** What is found in facts that were made for it, and that next to each of them nothing is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Finding } from '@fettle/report'
import { type Facts, learnFrom, noFacts } from '../src/core/facts.ts'
import { judge } from '../src/core/judge/judge.ts'
import { nothingYet } from '../src/core/look/look.ts'

const QUIET = {
  uptime_in_seconds: 1000,
  total_commands_processed: 10_000,
  total_connections_received: 100,
  total_reads_processed: 9000,
  total_net_input_bytes: 500_000,
  total_net_output_bytes: 500_000,
  used_cpu_sys: 5,
  used_cpu_user: 5,
  used_memory: 50_000_000,
}
type Fields = Readonly<Record<string, number | string>>

const infoText = (fields: Fields) =>
  Object.entries({ run_id: 'a', ...fields })
    .map(([name, value]) => `${name}:${value}`)
    .join('\n')

/** Ten seconds in which each of these has grown by so much; texts are there as they stand. */
function during(more: Fields, ...texts: string[]): Facts {
  const last: Record<string, number | string> = { ...QUIET }
  const grown = { uptime_in_seconds: 10, total_commands_processed: 1000, total_reads_processed: 900, ...more }
  for (const [name, value] of Object.entries(grown)) {
    const before = last[name] ?? 0
    last[name] = typeof value === 'string' || typeof before === 'string' ? value : before + value
  }
  return learn(infoText(QUIET), infoText(last), ...texts)
}

const learn = (...texts: string[]) => texts.reduce((facts, text) => learnFrom(facts, text) ?? facts, noFacts)
const findings = (facts: Facts) => judge(facts).findings
const told = (facts: Facts) => findings(facts).map(({ severity, code, subject }) => [severity, code, subject])
const only = (facts: Facts): Finding => {
  const all = findings(facts)
  assert.equal(all.length, 1, JSON.stringify(all.map(({ code }) => code)))
  return all[0]!
}
const evidenceOf = ({ evidence }: Finding) => evidence.map(({ text }) => text).join('\n')

const client = (fields: string) => `id=7 addr=10.0.0.5:4711 ${fields}`
/** As redis-cli prints CONFIG GET. */
const settings = (values: Readonly<Record<string, string>>) =>
  Object.entries(values)
    .flat()
    .map((word, i) => `${String(i + 1).padStart(2)}) "${word}"`)
    .join('\n')

const stats = (calls: number, usec: number) => `calls=${calls},usec=${usec},usec_per_call=1.0`

test('[D11] what was full, evicted or refused before one looked is no finding; what was while one looked is', () => {
  const before = { evicted_keys: 9, errorstat_OOM: 'count=7', maxmemory_policy: 'allkeys-lru', maxmemory: 60_000_000 }
  const first = infoText({ ...QUIET, ...before })
  const last = { ...QUIET, ...before, uptime_in_seconds: 1010 }
  assert.deepEqual(told(learn(first, infoText(last))), [])
  assert.deepEqual(told(learn(first, infoText({ ...last, evicted_keys: 12 }))), [['warning', 'redis.evicting', '']])
  const refused = only(learn(first, infoText({ ...last, errorstat_OOM: 'count=12' })))
  assert.deepEqual([refused.code, refused.severity], ['redis.out-of-memory', 'fault'])
  assert.match(refused.says, /: 5 commands were refused/)
})

test('[D12] who was refused is known by what is refused and by whose last command it was', () => {
  const stat = (calls: number, refused: number) => `${stats(calls, calls)},rejected_calls=${refused},failed_calls=0`
  const first = { ...QUIET, cmdstat_lpush: stat(5, 7), cmdstat_set: stat(5, 0), cmdstat_get: stat(5, 3) }
  const counted = { cmdstat_lpush: stat(5, 8), cmdstat_set: stat(6, 9) }
  const last = { ...first, uptime_in_seconds: 1010, errorstat_OOM: 'count=10', ...counted }
  const clients = ['shop flags=N cmd=set', 'web flags=N cmd=get', 'jobs flags=N cmd=rpop'].map((one) =>
    client(`name=${one} age=1 omem=0`),
  )
  const told = evidenceOf(only(learn(infoText(first), infoText(last), clients.join('\n'))))
  assert.match(told, /\nSET: refused 9 times\nLPUSH: refused 1 time\nsuch a command was the last of shop$/)
})

test('a save that stops everything for long is found, by how long the last fork took', () => {
  assert.deepEqual(told(during({ latest_fork_usec: 250_000 })), [['warning', 'redis.slow-fork', '']])
  assert.deepEqual(told(during({ latest_fork_usec: 2_000 })), [])
})

test('[D12] memory that may throw nothing out is found before it is full, and only where it has a limit', () => {
  const policy = { maxmemory_policy: 'noeviction' }
  const nearly = only(during({ ...policy, maxmemory: 51_000_000 }))
  assert.deepEqual([nearly.code, nearly.severity], ['redis.out-of-memory', 'warning'])
  assert.deepEqual(told(during({ ...policy, maxmemory: 0 })), [])
  assert.deepEqual(told(during({ ...policy, maxmemory: 60_000_000 })), [])
  assert.deepEqual(told(during({ maxmemory_policy: 'allkeys-lru', maxmemory: 51_000_000 })), [])
})

test('[D12] a storm of keys that expire takes time; some that expire do not', () => {
  const storm = { expired_keys: 200_000, expire_cycle_cpu_milliseconds: 900, expired_time_cap_reached_count: 30 }
  assert.deepEqual(told(during(storm)), [['warning', 'redis.expiry-storm', '']])
  assert.deepEqual(told(during({ ...storm, expired_keys: 500 })), [])
  assert.deepEqual(told(during({ ...storm, expire_cycle_cpu_milliseconds: 20, expired_time_cap_reached_count: 0 })), [])
})

test('[D12] a MONITOR that somebody left running is his, whose connection it is', () => {
  const found = only(during({}, client('name=debugging age=86400 flags=O cmd=monitor omem=0')))
  assert.deepEqual([found.code, found.severity], ['redis.monitor-running', 'fault'])
  assert.match(evidenceOf(found), /debugging \(10\.0\.0\.5:4711\)/)
  // Whoever pastes what MONITOR told him was running it himself.
  const pasted = '1795649091.053751 [0 10.0.0.1:1] "GET" "a"'
  assert.deepEqual(told(during({}, client('name= age=30 flags=O cmd=monitor omem=0'), pasted)), [])
  assert.equal(told(during({}, client('name= age=86400 flags=O cmd=monitor omem=0'), pasted)).length, 1)
  assert.deepEqual(told(during({}, client('name=web age=86400 flags=N cmd=get omem=0'))), [])
})

test('[D12] a client that does not read is found by what waits for it; a reply on its way is nothing', () => {
  const behind = (bytes: number) => during({}, client(`name=screen age=9 flags=P cmd=psubscribe omem=${bytes}`))
  assert.deepEqual(told(behind(20_000_000)), [['warning', 'redis.client-behind', 'screen']])
  assert.deepEqual(told(behind(2_000_000)), [])
  // A replica that loads has to wait for much, and would begin anew.
  assert.deepEqual(told(during({}, client('name= age=9 flags=S cmd=psync omem=90000000'))), [])
  // Before 5.0 INFO told of it; CLIENT LIST knows better who.
  const old = { client_longest_output_list: 5000 }
  assert.deepEqual(told(during(old)), [['warning', 'redis.client-behind', '']])
  assert.deepEqual(told(during(old, client('name=web age=1 flags=N cmd=get omem=0'))), [])
})

test('[D12] scripts are found by their own time, short ones and those that the slow log names are not', () => {
  const heavy = { cmdstat_eval: stats(50, 2_000_000), cmdstat_get: stats(1000, 3000) }
  const [found] = findings(during(heavy))
  assert.deepEqual([found!.code, found!.subject], ['redis.heavy-script', 'EVAL'])
  assert.deepEqual(told(during({ ...heavy, cmdstat_eval: stats(50_000, 2_000_000) })), [])
  const slow = ['1) 1) (integer) 1', '   2) (integer) 1575614696', '   3) (integer) 40000', '   4) 1) "EVAL"']
  const named = [...slow, '      2) "return 1"', '      3) "0"', '   5) "10.0.0.5:4711"', '   6) "limiter"'].join('\n')
  assert.deepEqual(
    told(during(heavy, named)).map(([, code]) => code),
    ['redis.slow-eval'],
  )
})

test('[D12] SCAN is found by the part of a core that all of them take, with what each costs beside executing', () => {
  const polling = (calls: number, usec: number, cpu: number) =>
    during({
      total_commands_processed: calls,
      total_reads_processed: calls / 3,
      used_cpu_sys: cpu,
      cmdstat_scan: stats(calls, usec),
    })
  assert.deepEqual(told(polling(40_000, 200_000, 1.2)), [['fault', 'redis.scan-polling', 'SCAN']])
  assert.deepEqual(told(polling(4000, 20_000, 0.1)), [])
  // Neither is it taken for requests that could come together.
  const small = { total_net_input_bytes: 3e6, total_net_output_bytes: 3e6, total_commands_processed: 80_000 }
  const alone = { total_reads_processed: 80_000, used_cpu_sys: 2, cmdstat_scan: stats(78_000, 200_000) }
  assert.deepEqual(told(during({ ...small, ...alone })), [['fault', 'redis.scan-polling', 'SCAN']])
})

test('[D12] values are big where commands are few and bytes many; many bytes in small ones are none', () => {
  const moved = (commands: number, bytes: number) =>
    during({ total_commands_processed: commands, total_reads_processed: commands / 3, total_net_output_bytes: bytes })
  assert.deepEqual(told(moved(200, 2e8)), [['warning', 'redis.big-values', '']])
  assert.deepEqual(told(moved(200_000, 2e8)), [])
  assert.deepEqual(told(moved(200, 2e7)), [])
  // What was refused came in as well: 20,000 of 5 kB, of which 100 were executed, are none of 1 MB.
  const set = (calls: number, refused: number) => `${stats(calls, calls)},rejected_calls=${refused},failed_calls=0`
  const refusing = (refused: number, bytes: number) =>
    during({ total_commands_processed: 100, total_net_input_bytes: bytes, cmdstat_set: set(100, refused) })
  assert.deepEqual(told(refusing(0, 1e8)), [['warning', 'redis.big-values', '']])
  assert.deepEqual(told(refusing(19_900, 1e8)), [])
})

test('[D11] connections that are refused while one looks are found, with who has most', () => {
  const clients = ['leaky', 'leaky', 'web', 'leaky'].map((name) => client(`name=${name} flags=N cmd=get age=1 omem=0`))
  const first = infoText({ ...QUIET, rejected_connections: 7 })
  const later = (rejected: number) =>
    learn(first, infoText({ ...QUIET, uptime_in_seconds: 1010, rejected_connections: rejected }), clients.join('\n'))
  assert.deepEqual(told(later(7)), [])
  const found = only(later(9))
  assert.deepEqual([found.severity, found.code], ['fault', 'redis.rejecting'])
  assert.match(found.says, /^Refused 2 connections/)
  assert.equal(evidenceOf(found), '3 connections of leaky\n1 connection of web')
  const looking = { ...later(9), live: { ...nothingYet, name: 'web' } }
  assert.equal(evidenceOf(only(looking)), '3 connections of leaky')
})

test('in a window connections are churned through when they are many a second', () => {
  const opened = (connections: number) => during({ total_connections_received: connections })
  assert.deepEqual(told(opened(300)), [['warning', 'redis.connection-churn', '']])
  assert.deepEqual(told(opened(150)), [])
})

const COTURN = [
  '1) 1) (integer) 1',
  '   2) (integer) 1575614696',
  '   3) (integer) 40000',
  '   4) 1) "KEYS"',
  '      2) "turn/*/allocation/*/status"',
].join('\n')
const PUBSUB = [
  'id=1 addr=10.0.0.1:1 name= age=9 flags=N sub=0 psub=0 cmd=publish omem=0',
  'id=2 addr=10.0.0.2:1 name= age=9 flags=P sub=0 psub=1 cmd=psubscribe omem=0',
].join('\n')

test('[D13] what cuts a coturn off is a warning where there is a coturn, a note where there may be one, else nothing', () => {
  const cut = (values: Readonly<Record<string, string>>, ...texts: string[]) =>
    told(during({}, settings(values), ...texts)).filter(([, code]) => code === 'redis.cuts-off-coturn')
  const small = { 'client-output-buffer-limit': 'normal 0 0 0 slave 268435456 67108864 60 pubsub 1048576 262144 10' }
  const usual = { 'client-output-buffer-limit': 'normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60' }
  for (const values of [{ timeout: '60' }, small]) {
    assert.deepEqual(cut(values, COTURN), [['warning', 'redis.cuts-off-coturn', '']])
    assert.deepEqual(cut(values, PUBSUB), [['note', 'redis.cuts-off-coturn', '']])
    assert.deepEqual(cut(values), [])
  }
  for (const values of [{ timeout: '0' }, usual, { 'client-output-buffer-limit': 'pubsub 0 0 0' }]) {
    assert.deepEqual(cut(values, COTURN), [])
  }
})

test('[D13] no password is found only where others can reach it', () => {
  const open = { bind: '0.0.0.0', 'protected-mode': 'no', requirepass: '', port: '6379', 'tls-port': '0' }
  const found = only(during({}, settings(open)))
  assert.deepEqual([found.severity, found.code], ['warning', 'redis.no-password'])
  for (const bind of ['* -::*', '10.0.0.5 127.0.0.1', '::', '']) {
    assert.equal(told(during({}, settings({ ...open, bind }))).length, 1, bind)
  }
  for (const values of [
    { ...open, bind: '127.0.0.1 -::1' },
    { ...open, bind: '127.0.0.2' },
    { ...open, 'protected-mode': 'yes' },
    { ...open, requirepass: 'hunter2' },
    { ...open, port: '0' },
  ]) {
    assert.deepEqual(told(during({}, settings(values))), [], JSON.stringify(values))
  }
})

test('[D13] settings are read as redis-cli prints them, and a password is not kept', () => {
  const { settings: read } = learn(settings({ maxmemory: '0', requirepass: 'hunter2', masterauth: '', save: '' }))
  assert.deepEqual(Object.fromEntries(read), { maxmemory: '0', requirepass: '(set)', masterauth: '', save: '' })
  for (const words of [
    ['user-name', 'bind'],
    ['user:1', 'a', 'bind', 'b'],
    ['bind', 'a', 'port'],
  ]) {
    const other = words.map((word, i) => `${i + 1}) "${word}"`).join('\n')
    assert.equal(learnFrom(noFacts, other), undefined, other)
  }
})

test('[D12] what could not be written to the disk is found by what INFO says of the last time', () => {
  for (const [field, code] of [
    ['rdb_last_bgsave_status', 'redis.save-failing'],
    ['aof_last_write_status', 'redis.append-failing'],
    ['aof_last_bgrewrite_status', 'redis.rewrite-failing'],
  ] as const) {
    const first = infoText({ ...QUIET, [field]: 'ok' })
    assert.deepEqual(told(learn(first)), [])
    assert.deepEqual(told(learn(infoText({ ...QUIET, [field]: 'err' }))), [['fault', code, '']])
  }
})

test('[D10] how long the slowest hundredth of a command takes is told where INFO does, as of ever', () => {
  const last = { ...QUIET, cmdstat_get: stats(5, 9), latency_percentiles_usec_get: 'p50=1.003,p99=12.031,p99.9=40.1' }
  const { tables } = judge(learn(infoText(last)))
  const { columns, rows } = tables.find(({ name }) => name === 'commands')!
  assert.deepEqual(columns.at(-1)?.name, 'p99-since-start')
  assert.deepEqual(rows[0]?.at(-1), { value: 12.031e-6, unit: 's' })
})
