/** What is advised, what may be asked for, and what is left alone. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { redisChange } from '../src/change.ts'
import { canonicalOf, faultOf } from '../src/core/change/changeable.ts'
import { type Known, planOf, type Wishes } from '../src/core/change/plan.ts'
import { protectionText } from '../src/core/change/protect.ts'
import { type Facts, noFacts } from '../src/core/facts.ts'
import { nothingYet } from '../src/core/look/look.ts'
import { readClients } from '../src/core/read/clients.ts'
import { readInfos } from '../src/core/read/info.ts'
import { entryText, type SlowEntry } from '../src/core/read/slowlog.ts'

/** As Redis 7.0 is set when nobody has set anything. */
const DEFAULTS = {
  timeout: '0',
  'tcp-keepalive': '300',
  'client-output-buffer-limit': 'normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60',
  'slowlog-log-slower-than': '10000',
  'slowlog-max-len': '128',
  'latency-monitor-threshold': '0',
  activedefrag: 'no',
  'lazyfree-lazy-eviction': 'no',
  'lazyfree-lazy-expire': 'no',
  'lazyfree-lazy-user-del': 'no',
  'lazyfree-lazy-user-flush': 'no',
  'maxmemory-policy': 'noeviction',
}
const QUIET = {
  run_id: 'a',
  role: 'master',
  uptime_in_seconds: 1000,
  total_commands_processed: 1000,
  used_cpu_sys: 1,
  used_cpu_user: 1,
  used_memory: 500_000_000,
}
const NOTHING: Wishes = { set: [], kill: [], slowlogReset: false }

interface Given {
  readonly settings?: Readonly<Record<string, string>>
  readonly info?: Readonly<Record<string, string | number>>
  readonly slow?: readonly (readonly [seconds: number, ...words: string[]])[]
  readonly clients?: readonly string[]
  readonly earlier?: readonly string[]
  readonly refused?: string
}

const slowEntry = (seconds: number, words: readonly string[]): SlowEntry => ({
  id: 1,
  at: 1_795_344_209,
  seconds,
  words,
  client: '10.0.0.5:4711',
  clientName: null,
})

function known({ settings, info, slow = [], clients = [], earlier = clients, refused }: Given): Known {
  const fields = Object.entries({ ...QUIET, ...info }).map(([name, value]) => `${name}:${value}`)
  const all = new Map(Object.entries({ ...DEFAULTS, ...settings }))
  const before = slow.map(([seconds, ...words]) => slowEntry(seconds, words))
  const facts: Facts = {
    ...noFacts,
    infos: readInfos(fields.join('\n')),
    clients: readClients(clients.join('\n')),
    settings: refused === undefined ? all : new Map(),
    live: { ...nothingYet, before },
  }
  return {
    facts,
    settings: facts.settings,
    refused: refused ?? null,
    earlier: readClients(earlier.join('\n')),
    slowEntries: slow.length,
    self: 1,
  }
}

const plan = (given: Given, wishes: Partial<Wishes> = {}) => planOf({ ...NOTHING, ...wishes }, known(given))
const changes = (given: Given) => plan(given).items.map(({ what, becomes }) => [what, becomes])
const codes = (given: Given) => plan(given).findings.map(({ code }) => code)
const COTURN = [0.02, 'keys', 'turn/*/allocation/*/status'] as const
const client = (id: number, fields: string) => `id=${id} addr=10.0.0.5:${4000 + id} ${fields}`

test('[D31] nothing is advised for a Redis as it comes', () => {
  assert.deepEqual(changes({ clients: [client(1, 'name=fettle-7 age=3 flags=N omem=0 cmd=client|list')] }), [])
  assert.deepEqual(codes({}), [])
})

test('[D31] a coturn, where it is sure that there is one: no timeout, keepalive, and room for who listens', () => {
  const tight = { timeout: '300', 'tcp-keepalive': '0' }
  const limit = 'normal 0 0 0 slave 268435456 67108864 60 pubsub 268435456 67108864 60'
  assert.deepEqual(changes({ settings: tight, slow: [COTURN] }), [
    ['timeout', '0'],
    ['tcp-keepalive', '60'],
  ])
  const small = { 'client-output-buffer-limit': DEFAULTS['client-output-buffer-limit'].replace('8388608', '1048576') }
  assert.deepEqual(changes({ settings: small, slow: [COTURN] }), [['client-output-buffer-limit', limit]])
  // Without a sign of one, only what is good for everybody.
  assert.deepEqual(changes({ settings: { ...tight, ...small } }), [['tcp-keepalive', '300']])
  const talk = ['cmd=publish sub=0 psub=0', 'cmd=psubscribe sub=0 psub=1'].map((one, i) =>
    client(i + 2, `flags=N ${one}`),
  )
  assert.deepEqual(changes({ settings: { timeout: '300' }, clients: talk }), [])
  assert.deepEqual(codes({ settings: { timeout: '300' }, clients: talk }), ['redis.cuts-off-coturn'])
})

test('[D31] a slow log that is off, holds everything or next to nothing; the latency monitor where something is slow', () => {
  const threshold = (value: string) => changes({ settings: { 'slowlog-log-slower-than': value } })
  for (const value of ['-1', '0']) assert.deepEqual(threshold(value), [['slowlog-log-slower-than', '10000']])
  for (const value of ['1', '5000', '1000000']) assert.deepEqual(threshold(value), [])
  assert.deepEqual(changes({ settings: { 'slowlog-max-len': '127' } }), [['slowlog-max-len', '1024']])
  assert.deepEqual(changes({ slow: [[0.099, 'sort', 'x']] }), [])
  assert.deepEqual(changes({ slow: [[0.1, 'sort', 'x']] }), [['latency-monitor-threshold', '100']])
  assert.deepEqual(changes({ slow: [[0.1, 'sort', 'x']], settings: { 'latency-monitor-threshold': '5' } }), [])
  assert.deepEqual(changes({ info: { latest_fork_usec: 200_000 } }), [['latency-monitor-threshold', '100']])
})

test('[D31] memory is freed beside the other work where it was found to hold it up', () => {
  assert.deepEqual(changes({ info: { mem_fragmentation_ratio: 1.8 } }), [['activedefrag', 'yes']])
  assert.deepEqual(changes({ slow: [[0.05, 'del', 'big']] }), [['lazyfree-lazy-user-del', 'yes']])
  assert.deepEqual(changes({ slow: [[0.05, 'flushall']] }), [['lazyfree-lazy-user-flush', 'yes']])
  assert.deepEqual(changes({ slow: [[0.05, 'del', 'big']], settings: { 'lazyfree-lazy-user-del': 'yes' } }), [])
})

test('[D31] which keys may be thrown out is not decided here, and why is said', () => {
  const full = { maxmemory: 500_000_001, maxmemory_policy: 'noeviction' }
  assert.deepEqual(changes({ info: full }), [])
  assert.deepEqual(codes({ info: full }), ['redis.policy-is-yours'])
})

test('[D31] a MONITOR that was left and who reads nothing are ended; others, replicas and looks of fettle are not', () => {
  const kills = (clients: readonly string[], earlier = clients) => changes({ clients, earlier }).map(([what]) => what)
  assert.deepEqual(kills([client(7, 'name= age=60 flags=O omem=0 cmd=monitor')]), ['client 7'])
  assert.deepEqual(kills([client(7, 'name= age=59 flags=O omem=0 cmd=monitor')]), [])
  assert.deepEqual(kills([client(7, 'name=fettle-42 age=99 flags=O omem=0 cmd=monitor')]), [])
  const stuck = (omem: number, flags = 'N') => [client(8, `name=app age=9 flags=${flags} omem=${omem} cmd=get`)]
  assert.deepEqual(kills(stuck(8e6)), ['client 8'])
  assert.deepEqual(kills(stuck(8e6 - 1)), [])
  assert.deepEqual(kills(stuck(9e6, 'S')), [])
  // It reads: less waits than before. Or it has only just asked.
  assert.deepEqual(kills(stuck(9e6), stuck(9e6 + 1)), [])
  assert.deepEqual(kills(stuck(9e6), []), [])
  const { command, undo, lost, was } = plan({ clients: stuck(8e6) }).items[0]!
  assert.deepEqual(
    [command, undo, was],
    [
      'CLIENT KILL ID 8 ADDR 10.0.0.5:4008',
      'none; a client connects again by itself',
      'id=8 addr=10.0.0.5:4008 name=app',
    ],
  )
  assert.match(lost!, /^app \(10\.0\.0\.5:4008\), last command get, connected for 9 s, is cut off\.$/)
})

test('[D32] what is asked for is planned, and nothing else; what is so already is not', () => {
  const given: Given = {
    settings: { timeout: '300', 'slowlog-log-slower-than': '-1' },
    slow: [[0.2, 'get', 'x']],
    clients: [
      client(1, 'name=fettle-7 flags=N cmd=client'),
      client(7, 'name=a flags=N cmd=get'),
      client(8, 'name=b flags=S cmd=replconf'),
    ],
  }
  const wishes: Wishes = {
    set: [
      ['timeout', '00'],
      ['tcp-keepalive', '300'],
      ['client-output-buffer-limit', 'pubsub 256mb 64mb 60'],
    ],
    kill: ['10.0.0.5:4007'],
    slowlogReset: true,
  }
  const { items, problems } = plan(given, wishes)
  assert.deepEqual(problems, [])
  assert.deepEqual(
    items.map(({ what, becomes, command, undo }) => [what, becomes, command, undo]),
    [
      ['timeout', '0', 'CONFIG SET timeout 0', 'CONFIG SET timeout 300'],
      [
        'client-output-buffer-limit',
        'normal 0 0 0 slave 268435456 67108864 60 pubsub 268435456 67108864 60',
        'CONFIG SET client-output-buffer-limit "normal 0 0 0 slave 268435456 67108864 60 pubsub 268435456 67108864 60"',
        'CONFIG SET client-output-buffer-limit "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60"',
      ],
      ['client 7', null, 'CLIENT KILL ID 7 ADDR 10.0.0.5:4007', 'none; a client connects again by itself'],
      ['slow log', null, 'SLOWLOG RESET', 'none; the entries stand in the journal as text and cannot be put back'],
    ],
  )
  assert.deepEqual(plan(given, { kill: ['1', '8', '9'], set: [['hz', '20']] }).problems, [
    'this server has no setting hz',
    '--kill 1: is fettle itself',
    '--kill 8: is a replica or the master; it would load everything anew',
    '--kill 9: no client of this id or address is connected',
  ])
})

test('[D32] settings that cannot be put back, passwords and files are refused with the reason, before anything is asked', () => {
  for (const [name, value, told] of [
    ['requirepass', 'x', /^requirepass is a password: /],
    ['maxmemory', '1gb', /^maxmemory below what is used it throws keys out at once/],
    ['dir', '/', /^dir decides what is written where on its disk$/],
    ['appendfsync', 'no', /^appendfsync is not set from here; what can be put back is: timeout, /],
    ['timeout', '-1', /^timeout may be a whole number from 0 to 2147483647$/],
    ['constructor', '1', /^constructor is not set from here; what/],
    ['hz', '501', /^hz may be a whole number from 1 to 500$/],
    ['activedefrag', 'maybe', /^activedefrag may be yes, no$/],
    ['client-output-buffer-limit', 'replica 1 1 1', /may be "pubsub HARD SOFT SECONDS", or normal instead of pubsub$/],
  ] as const) {
    assert.match(faultOf(name, value) ?? '', told)
  }
  const read = (...set: string[]) => redisChange.read({ arguments: ['127.0.0.1'], flags: { set } })
  assert.deepEqual(read('TIMEOUT=0', 'hz=10').ok, true)
  assert.deepEqual(read('timeout=0', 'timeout=1'), { ok: false, faults: ['--set: give each setting once'] })
  assert.deepEqual(read('timeout').ok, false)
  const flags = { undo: true, protect: true, 'slowlog-reset': true, for: '0' } as const
  const wrong = redisChange.read({ arguments: ['redis://:x@h'], flags })
  assert.equal(!wrong.ok && wrong.faults.length, 4)
})

test('[D32] values stand in the plan as the server will tell them', () => {
  const settings = new Map(Object.entries(DEFAULTS))
  const canonical = (value: string) => canonicalOf('client-output-buffer-limit', value, settings)
  assert.match(
    canonical('normal 1gb 512k 060') ?? '',
    /^normal 1073741824 512000 60 slave .* pubsub 33554432 8388608 60$/,
  )
  assert.equal(canonicalOf('activedefrag', 'YES', settings), 'yes')
  assert.equal(canonicalOf('hz', '10', settings), undefined)
})

test('[D35] a replica and a node of a cluster are said to be such; without CONFIG it is lines for redis.conf', () => {
  const replica = { role: 'slave', master_host: '10.0.0.9', master_port: 6379, cluster_enabled: 1 }
  assert.deepEqual(codes({ info: replica }), ['redis.is-replica', 'redis.in-cluster'])
  assert.match(plan({ info: replica }).findings[0]!.says, /replica of 10\.0\.0\.9:6379: what is changed here is not/)
  const refused = 'NOPERM'
  const blind = plan({ refused }, { set: [['client-output-buffer-limit', 'pubsub 256mb 64mb 60']] })
  assert.deepEqual(
    blind.items.map(({ command, undo }) => [command, undo]),
    [['in redis.conf: client-output-buffer-limit pubsub 268435456 67108864 60', 'the line that was there before']],
  )
  assert.deepEqual(changes({ refused }), [
    ['tcp-keepalive', '300'],
    ['slowlog-log-slower-than', '10000'],
    ['slowlog-max-len', '1024'],
  ])
})

test('[D37] text for a version without users, without channels, and with both', () => {
  const text = (version: string) =>
    protectionText(readInfos(`redis_version:${version}\na:1\nb:1\nc:1\nd:1`)[0], new Map())
  assert.match(text('5.0.3'), /^requirepass <password>$/m)
  assert.doesNotMatch(text('5.0.3'), /^user |^rename-command (?:KEYS|CONFIG)/m)
  assert.match(text('6.0.16'), /^user coturn on ><password> ~turn\/\* ~ \+auth/m)
  for (const version of ['6.2.0', '7.0.15', '8.2.1', '10.0.0']) {
    assert.match(text(version), /^user coturn on ><password> ~turn\/\* ~ &turn\/\* &__XXX__ \+auth/m, version)
  }
})

test('[D38] the slow log is kept as text, without what may be a password', () => {
  const text = (...words: string[]) => entryText(slowEntry(0.0123, words))
  assert.equal(text('GET', 'a "b"\n'), '1 2026-11-22T10:43:29.000Z 12300us 10.0.0.5:4711  "GET" "a \\"b\\"\\n"')
  for (const command of ['AUTH', 'hello', 'ACL', 'CONFIG', 'MIGRATE']) {
    assert.match(text(command, 'SET', 'requirepass', 'geheim'), new RegExp(`"${command}" "\\(not kept\\)"$`))
  }
})
