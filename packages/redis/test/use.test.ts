import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Facts, type Live, noFacts, type Window } from '../src/core/facts.ts'
import { judge } from '../src/core/judge/judge.ts'
import { loadOf } from '../src/core/load.ts'
import { learn } from '../src/core/look/learn.ts'
import { type Look, nextLook, nothingYet, type Seen } from '../src/core/look/look.ts'
import { nothingOwn } from '../src/core/look/own.ts'
import { readInfos } from '../src/core/read/info.ts'
import type { Answer } from '../src/core/read/resp.ts'
import type { SlowEntry } from '../src/core/read/slowlog.ts'
import { callsOf, seenCall } from '../src/core/use/call.ts'
import { foldRare } from '../src/core/use/fold.ts'
import { useOf } from '../src/core/use/use.ts'

const entry = (
  id: number,
  words: string,
  usec: number,
  clientName: string | null,
  client = '10.0.0.1:4000',
): SlowEntry => ({
  id,
  at: 0,
  seconds: usec / 1e6,
  words: words.split(' '),
  client,
  clientName,
})

test('[D10] what a script or a transaction has run is its caller’s, and its time is counted once', () => {
  const calls = callsOf(
    [
      entry(1, 'GET a', 5, 'web'),
      entry(2, 'incr limit:1', 3, null, '?:0'),
      entry(3, 'expire limit:1 60', 2, null, '?:0'),
      entry(4, 'EVAL script 1 limit:1', 20, 'limiter'),
      entry(5, 'MULTI', 1, 'orders'),
      entry(6, 'SET order:1 x', 4, 'orders'),
      entry(7, 'EXEC', 6, 'orders'),
    ],
    false,
  )
  const usec = (seconds: number) => Math.round(seconds * 1e6)
  assert.deepEqual(
    calls.map(({ command, pattern, client, ownSeconds }) => [command, pattern, client, usec(ownSeconds)]),
    [
      ['get', 'a', 'web', 5],
      ['incr', 'limit:*', 'limiter', 3],
      ['expire', 'limit:*', 'limiter', 2],
      ['eval', 'limit:*', 'limiter', 15],
      ['multi', '', 'orders', 1],
      ['set', 'order:*', 'orders', 4],
      ['exec', '', 'orders', 2],
    ],
  )
})

test('[D10] kinds of keys of which there are very many are one; those that come often stay', () => {
  const rare = Array.from({ length: 100 }, (_, i) => `cache:${String.fromCharCode(97 + (i % 26))}${'xyz'[i % 3]}q:body`)
  const often = Array.from({ length: 40 }, () => 'cache:front:body')
  const folded = foldRare([...rare, ...often, 'user:*'])
  assert.deepEqual(new Set(folded.values()), new Set(['cache:*:body', 'cache:front:body', 'user:*']))
  const few = foldRare(['a:b', 'a:c', ''])
  assert.deepEqual(Array.from(few), [
    ['a:b', 'a:b'],
    ['a:c', 'a:c'],
    ['', ''],
  ])
})

const plain: Look = {
  at: 1,
  info: false,
  clients: false,
  settings: false,
  slow: 128,
  window: null,
  monitor: null,
  isLast: false,
}
const sampling = { milliseconds: 5, threshold: '10000', between: '2000', entries: 128 }

/** As the server answers: the newest first. */
const log = (...entries: SlowEntry[]): Answer =>
  entries
    .toReversed()
    .map(({ id, at, seconds, words, client, clientName }) => [id, at, seconds * 1e6, words, client, clientName ?? ''])

function started(settings: Readonly<Record<string, string>>, ...before: SlowEntry[]): Facts {
  const beginning: Facts = { ...noFacts, live: { ...nothingYet, name: 'fettle-1' } }
  const seen: Seen = { at: 0, own: nothingOwn, slow: log(...before), settings: Object.entries(settings) }
  return learn(beginning, { ...plain, settings: true }, seen)
}

const USUAL = { 'slowlog-log-slower-than': '10000', 'slowlog-max-len': '128' }

test('[D7, D10] where more comes than the log holds, what is left of a window is of it, though its beginning is gone', () => {
  const facts = started(USUAL, entry(1, 'KEYS *', 50_000, 'old'))
  const left = Array.from({ length: 126 }, (_, i) => entry(200 + i, `SET row:${i} x`, 2, 'import'))
  const closing = [
    entry(326, 'WAIT 1000000 20', 20_000, 'fettle-1'),
    entry(327, 'CONFIG GET slowlog-log-slower-than', 3, 'fettle-1'),
  ]
  const seen: Seen = { at: 1, own: nothingOwn, slow: log(), window: log(...left, ...closing) }
  const [window] = learn(facts, { ...plain, window: sampling }, seen).live!.windows
  assert.deepEqual([window!.entries.length, window!.entries[0]!.id], [126, 200])
  // From 2 on, without two of ours.
  assert.equal(window!.logged, 324)
})

test('[D7, D10] the window begins behind the command that opens it; what is slow before it is known exactly', () => {
  const facts = started(USUAL, entry(7, 'KEYS *', 50_000, 'old'), entry(8, 'GET left', 3, 'old'))
  // Of an earlier look's windows there are entries that are not slow at all: nobody calls them slow.
  const { findings } = judge(facts)
  const told = findings.find(({ code }) => code === 'redis.slow-before')
  assert.match(told!.says, /^The slow log had one entry from before/)
  const seen: Seen = {
    at: 1,
    own: nothingOwn,
    slow: log(entry(8, 'GET left', 3, 'old'), entry(9, 'KEYS user:*', 30_000, 'reporter')),
    window: log(
      entry(10, 'SORT list', 2500, 'jobs'),
      entry(11, 'CONFIG SET slowlog-log-slower-than 0', 6, 'fettle-1'),
      entry(12, 'GET user:1', 2, 'web'),
      entry(13, 'LRANGE list 0 -1', 4000, 'jobs'),
      entry(14, 'WAIT 1000000 5', 9, 'fettle-1'),
    ),
  }
  const { slow, live } = learn(facts, { ...plain, window: sampling }, seen)
  assert.deepEqual(
    slow.map(({ id }) => id),
    [9],
  )
  assert.deepEqual(
    live!.tail.map(({ id }) => id),
    [9, 10, 13],
  )
  assert.deepEqual(
    live!.windows.map(({ entries, logged }) => [entries.map(({ id }) => id), logged]),
    [[[12, 13], 2]],
  )
  assert.deepEqual([live!.newest, live!.lost, live!.tailSeconds], [14, 0, 0.002])
})

test('[D10] of a window that the log does not hold, how many there were is known; what fell out between looks is told', () => {
  const facts = started(USUAL)
  const last = Array.from({ length: 3 }, (_, i) => entry(997 + i, 'GET a', 2, 'web'))
  const full = learn(facts, { ...plain, window: sampling }, { at: 1, own: nothingOwn, slow: [], window: log(...last) })
  assert.deepEqual([full.live!.windows[0]!.entries.length, full.live!.windows[0]!.logged], [3, 1000])
  const gap = learn(full, plain, { at: 2, own: nothingOwn, slow: log(entry(1010, 'KEYS *', 20_000, 'a')) })
  assert.equal(gap.live!.lost, 10)
})

test('[D4] who has everything logged does not call it slow', () => {
  const facts = started(
    { ...USUAL, 'slowlog-log-slower-than': '0' },
    entry(6, 'KEYS *', 50_000, 'old'),
    entry(7, 'GET a', 5, 'web'),
  )
  const { slow } = learn(facts, plain, {
    at: 1,
    own: nothingOwn,
    slow: log(entry(8, 'GET a', 5, 'web'), entry(9, 'KEYS *', 20_000, 'web')),
  })
  assert.deepEqual(
    slow.map(({ id }) => id),
    [9],
  )
  assert.match(
    judge(facts).findings.find(({ code }) => code === 'redis.slow-before')!.says,
    /had one entry from before/,
  )
})

test('[D9] a name of a megabyte, which a client may well have, is cut', () => {
  const long = 'x'.repeat(1_000_000)
  const facts = learn(started(USUAL), plain, {
    at: 1,
    own: nothingOwn,
    slow: log(entry(8, 'KEYS *', 20_000, long)),
    clients: `id=7 addr=10.0.0.5:4711 name=${long} age=1 flags=N omem=0 cmd=get`,
  })
  assert.deepEqual([facts.slow[0]!.clientName!.length, facts.clients[0]!.name.length], [64, 64])
  assert.ok(seenCall({ ...facts.slow[0]!, words: ['GET', long.replaceAll('xx', ':a')] }, true).pattern.length <= 200)
})

test('[D7] a window is as long as a hundred commands take, there is none beside a MONITOR or without a log', () => {
  const plan = { seconds: 10, sample: true, monitor: false }
  const at = (rate: number, settings: Readonly<Record<string, string>> = USUAL, flags = 'N') => {
    const facts = started(settings)
    const infos = readInfos(`redis_version:7\nrun_id:a\nrole:master\ntcp_port:1\ninstantaneous_ops_per_sec:${rate}`)
    const clients = [
      {
        id: 1,
        address: 'a:1',
        name: '',
        ageSeconds: 0,
        flags,
        command: '',
        subscriptions: 0,
        outputBytes: 0,
        totalCommands: null,
      },
    ]
    const look = nextLook(plan, {
      ...facts,
      infos,
      clients,
      live: { ...facts.live!, moments: [{ at: 0, own: nothingOwn, newest: -1 }] },
    })
    return look?.window
  }
  assert.deepEqual(
    [50, 20_000, 5e6].map((rate) => at(rate)?.milliseconds),
    [200, 5, 1],
  )
  assert.equal(at(100, { ...USUAL, 'slowlog-max-len': '20' })?.entries, 20)
  assert.deepEqual(at(100, { ...USUAL, 'slowlog-max-len': '0' }), null)
  assert.deepEqual(at(100, { 'slowlog-max-len': '128' }), null)
  assert.deepEqual(at(100, USUAL, 'O'), null)
  assert.deepEqual(
    [at(100)?.between, at(100, { ...USUAL, 'slowlog-log-slower-than': '500' })?.between],
    ['1997', '500'],
  )
})

/** Mulberry32: the same numbers each time. */
function chance(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** Who asks, how often beside the others, and how many microseconds it takes. */
const LOAD = [
  ['GET user:1', 'web', 60, 2],
  ['GET user:1', 'api', 20, 2],
  ['GET stock:1', 'cron', 4, 3],
  ['SET session:1', 'web', 10, 3],
  ['HGETALL cart:1', 'web', 4, 8],
  ['HGETALL catalog:1', 'api', 2, 60],
] as const

test('[D10] of a command that no window has seen, those that are known exactly tell whose the others were', () => {
  const info = (part: number) =>
    [
      'redis_version:7.0.15',
      'run_id:a',
      `total_commands_processed:${1000 * part}`,
      `uptime_in_seconds:${10 * part}`,
      'role:master',
      `cmdstat_get:calls=${996 * part},usec=${100_000 * part}`,
      `cmdstat_keys:calls=${4 * part},usec=${900_000 * part}`,
    ].join('\n')
  const one: Window = { at: 1, entries: [entry(1, 'GET a', 100, 'web')], logged: 1 }
  const tail = [1, 2].map((id) => entry(id, 'KEYS *', 200_000, 'cron')).concat(entry(3, 'KEYS a*', 200_000, 'admin'))
  const live: Live = { ...nothingYet, windows: [one, one, one, one], tail, tailSeconds: 0.002 }
  const facts: Facts = { ...noFacts, infos: readInfos(`${info(0)}\n${info(1)}`), live }
  const load = loadOf(facts)
  assert.ok('seconds' in load)
  const told = useOf(facts, load)!.rows.map(({ client, executing: { value, low, high } }) => [
    client,
    ...[value, low, high].map((share) => Number(share.toFixed(3))),
  ])
  // 600 ms are known to be of these two; of 300 ms that were lost nobody knows.
  assert.deepEqual(told.slice(0, 2), [
    ['cron', 0.6, 0.4, 0.7],
    ['admin', 0.3, 0.2, 0.5],
  ])
  assert.equal(told[2]![0], 'web')
})

test('[D10] what is told of the shares holds the truth, 9 times in 10 at least', () => {
  let [held, told] = [0, 0]
  for (let run = 0; run < 60; run++) {
    const random = chance(run + 1)
    const truth = new Map<string, { calls: number; usec: number }>()
    const draw = () => {
      let left = random() * 100
      for (const one of LOAD) {
        left -= one[2]
        if (left < 0) return one
      }
      return LOAD[0]
    }
    const windows = Array.from({ length: 50 }, (): Window => {
      // Neighbours are alike: in a window, one of them asks more than it does as a rule.
      const busy = draw()
      const entries = Array.from({ length: 40 + Math.floor(random() * 60) }, (_, id) => {
        const [words, client, , usec] = random() < 0.2 ? busy : draw()
        return entry(id, words, Math.max(0, Math.round(usec * (0.5 + random()))), client)
      })
      return { at: 1, entries, logged: entries.length }
    })
    const stats = new Map<string, { calls: number; usec: number }>()
    for (const [words, client, weight, usec] of LOAD) {
      const command = words.split(' ')[0]!.toLowerCase()
      const one = { calls: weight * 1000, usec: weight * usec * 1000 }
      truth.set(`${command} ${words.split(' ')[1]!.replace('1', '*')} ${client}`, one)
      const sum = stats.get(command) ?? { calls: 0, usec: 0 }
      stats.set(command, { calls: sum.calls + one.calls, usec: sum.usec + one.usec })
    }
    const info = (part: number) =>
      [
        'redis_version:7.0.15',
        `run_id:a`,
        `total_commands_processed:${100_000 * part}`,
        `uptime_in_seconds:${10 * part}`,
        'role:master',
        ...Array.from(stats, ([name, { calls, usec }]) => `cmdstat_${name}:calls=${calls * part},usec=${usec * part}`),
      ].join('\n')
    const live: Live = { ...nothingYet, windows, tailSeconds: 0.002 }
    const facts: Facts = { ...noFacts, infos: readInfos(`${info(0)}\n${info(1)}`), live }
    const load = loadOf(facts)
    assert.ok('seconds' in load)
    const use = useOf(facts, load)!
    const sums = Array.from(truth.values()).reduce((a, b) => ({ calls: a.calls + b.calls, usec: a.usec + b.usec }))
    for (const { command, pattern, client, calls, executing } of use.rows) {
      const one = truth.get(`${command} ${pattern} ${client}`)!
      const shares = [one.calls / sums.calls, one.usec / sums.usec]
      for (const [i, { low, high }] of [calls, executing].entries()) {
        told++
        if (low - 1e-9 <= shares[i]! && shares[i]! <= high + 1e-9) held++
      }
    }
  }
  assert.ok(told > 600, `${told} told`)
  assert.ok(held / told >= 0.9, `${held} of ${told} held the truth`)
  // Intervals that hold everything say nothing.
  assert.ok(held / told < 0.999, `${held} of ${told} held the truth`)
})
