/** Illnesses of a Redis, each with what must be found, and how one sees without fettle that it is there. */
import { connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { startCoturn } from '../coturn.ts'
import type { Redis } from '../redis.ts'
import { filled, type Kind, keysOf, members } from './data.ts'
import { nothing, step, weighted } from './load.ts'
import type { Patient, Vitals } from './patient.ts'

export interface Illness extends Patient {
  readonly found: {
    /** One of these, which depends on how fast the machine is. */
    readonly codes: readonly string[]
    /** How its subject begins. */
    readonly subject: string
    /** The client that is named; left out: nobody is to blame, or the server does not know. */
    readonly who?: string
  }
  /** Other findings that are as true of it. */
  readonly also?: readonly string[]
  readonly isReal: (vitals: Vitals) => boolean
}

/** Beside an illness life goes on. */
const web = {
  name: 'web',
  connections: 4,
  pace: { perSecond: 200 },
  steps: [weighted(4, 'GET user:{1000}:profile'), step('SET session:{1000} {*80}')],
}

/** A slow one is slow by itself, not because others have taken the CPU. */
const SLOW = 0.005

/** A client that asks for all of something big, some times a second. */
function readsAll(command: string, key: string, kind: Kind, count: number, ...words: readonly string[]): Illness {
  return {
    name: `a big ${kind}, read whole again and again`,
    load: {
      seed: [members(kind, key, count)],
      clients: [web, { name: 'reporter', pace: { perSecond: 3 }, steps: [step([command, key, ...words])] }],
    },
    found: {
      codes: ['slow', 'heavy'].map((how) => `redis.${how}-${command.toLowerCase()}`),
      subject: command,
      who: 'reporter',
    },
    also: ['redis.big-values'],
    isReal: (vitals) => vitals.secondsOf(command.toLowerCase()) > SLOW,
  }
}

const TURN = 'turn/realm/example.org/user/1795344209:device{i}/allocation/{i}/status'
const coturn = { name: '', pace: { perSecond: 3 }, steps: [step('KEYS turn/*/allocation/*/status')] }
const TRAFFIC = ['PUBLISH', 'turn/realm/example.org/user/ann/allocation/{99}/traffic', 'rcvp=1024, rcvb=1000000']
const coturnSlow = ({ secondsOf }: Vitals) => secondsOf('keys') > SLOW

const LOOP = "local s = 0 for i = 1, tonumber(ARGV[1]) do s = s + i end return redis.call('GET', KEYS[1])"

/** Very many who come at once, and are gone a moment later; again, for the first may come before the look begins. */
async function crowd(_: unknown, { host, port }: Redis): Promise<void> {
  for (let i = 0; i < 3; i++) {
    const sockets = Array.from({ length: 60 }, () => connect(port, host).on('error', () => {}))
    await wait(500)
    for (const socket of sockets) socket.destroy()
    await wait(300)
  }
}

export const illnesses: readonly Illness[] = [
  {
    name: 'KEYS with a wildcard, by one of several clients',
    load: {
      seed: [keysOf('user:{i}:profile', 100_000)],
      clients: [web, { name: 'reporter', pace: { perSecond: 3 }, steps: [step('KEYS user:{99}*:profile')] }],
    },
    found: { codes: ['redis.slow-keys'], subject: 'KEYS user:*:profile', who: 'reporter' },
    isReal: ({ secondsOf }) => secondsOf('keys') > SLOW,
  },
  {
    name: 'a coturn that is started, among very many keys',
    load: { seed: [keysOf(`${TURN}/of/another/kind`, 200_000)], clients: [web] },
    meanwhile: async (ground, { host, port }) => {
      const { running } = await startCoturn(ground, `ip=${host} dbname=0 port=${port} connect_timeout=5`)
      running.kill('SIGKILL')
      await running.ended
    },
    found: { codes: ['redis.keys-of-coturn'], subject: 'KEYS turn/*/allocation/*/status' },
    isReal: ({ callsOf, secondsOf }) => callsOf('keys') > 0 && secondsOf('keys') > 0.1,
  },
  {
    name: 'coturns that start again and again',
    load: { seed: [keysOf(TURN, 15_000)], clients: [web, coturn] },
    found: { codes: ['redis.keys-of-coturn'], subject: 'KEYS turn/*/allocation/*/status' },
    isReal: coturnSlow,
  },
  {
    name: 'SCAN over everything without end',
    isHungry: true,
    load: {
      seed: [keysOf('user:{i}:profile', 50_000)],
      clients: [
        web,
        {
          name: 'watchdog',
          connections: 3,
          pace: { inFlight: 1 },
          steps: [step('SCAN {cursor} MATCH lock:* COUNT 100')],
        },
      ],
    },
    found: { codes: ['redis.scan-polling'], subject: 'SCAN', who: 'watchdog' },
    // Executing alone; receiving and answering come on top of it.
    isReal: ({ callsOf, secondsOf, seconds }) => callsOf('scan') * secondsOf('scan') > 0.1 * seconds,
  },
  readsAll('LRANGE', 'queue:big', 'list', 200_000, '0', '-1'),
  readsAll('SMEMBERS', 'tags:all', 'set', 40_000),
  readsAll('HGETALL', 'cart:all', 'hash', 40_000),
  readsAll('ZRANGE', 'board:all', 'zset', 80_000, '0', '-1'),
  {
    ...readsAll('SORT', 'queue:big', 'list', 15_000, 'LIMIT', '0', '10', 'ALPHA'),
    name: 'a list, sorted again and again',
    also: [],
  },
  {
    name: 'a script that counts long, each time shorter than the slow log sees',
    load: {
      seed: [keysOf('user:{i}:profile', 1000)],
      clients: [
        web,
        {
          name: 'limiter',
          pace: { perSecond: 30 },
          steps: [step(['EVAL', LOOP, '1', 'user:{1000}:profile', '150000'])],
        },
      ],
    },
    found: { codes: ['redis.heavy-script', 'redis.slow-eval'], subject: 'EVAL', who: 'limiter' },
    isReal: ({ secondsOf }) => secondsOf('eval') > 0.001,
  },
  {
    name: 'a script that counts very long',
    load: {
      seed: [keysOf('user:{i}:profile', 1000)],
      clients: [
        web,
        {
          name: 'limiter',
          pace: { perSecond: 4 },
          steps: [step(['EVAL', LOOP, '1', 'user:{1000}:profile', '1000000'])],
        },
      ],
    },
    found: { codes: ['redis.slow-eval', 'redis.heavy-script'], subject: 'EVAL', who: 'limiter' },
    isReal: ({ secondsOf }) => secondsOf('eval') > 0.01,
  },
  {
    name: 'very many small requests, one by one',
    isHungry: true,
    load: {
      seed: [keysOf('flag:{i}', 1000)],
      clients: [web, { name: 'poller', connections: 300, pace: { perSecond: 8000 }, steps: [step('GET flag:{1000}')] }],
    },
    found: { codes: ['redis.tiny-requests'], subject: '', who: 'poller' },
    isReal: ({ grown, seconds }) =>
      grown('total_commands_processed') > 5500 * seconds &&
      grown('total_commands_processed') < 1.5 * grown('total_reads_processed'),
  },
  {
    name: 'a connection for each command',
    load: {
      seed: [keysOf('user:{i}:profile', 1000)],
      clients: [{ name: 'php', pace: { perSecond: 100 }, steps: [step('GET user:{1000}:profile')], isFresh: true }],
    },
    found: { codes: ['redis.connection-churn'], subject: '', who: 'php' },
    isReal: ({ grown, seconds }) => grown('total_connections_received') > 40 * seconds,
  },
  {
    name: 'more connections than it may have',
    settings: ['--maxclients', '40'],
    load: {
      seed: [],
      clients: [web, { name: 'leaky', connections: 25, pace: { perSecond: 20 }, steps: [step('PING')] }],
    },
    meanwhile: crowd,
    found: { codes: ['redis.rejecting'], subject: '', who: 'leaky' },
    isReal: ({ grown }) => grown('rejected_connections') > 0,
  },
  {
    name: 'values of a megabyte',
    load: {
      seed: [['SET', 'export:1', '{*1000000}']],
      clients: [
        web,
        {
          name: 'exporter',
          pace: { perSecond: 20 },
          steps: [weighted(3, 'GET export:1'), step('SET export:1 {*1000000}')],
        },
      ],
    },
    found: { codes: ['redis.big-values'], subject: '', who: 'exporter' },
    isReal: ({ grown }) => grown('total_net_output_bytes') > 20e6,
  },
  {
    name: 'keys that all expire within the same seconds',
    load: {
      seed: [2000, 3000, 4000, 5000].map((milliseconds) => keysOf(`code:${milliseconds}:{i}`, 60_000, milliseconds)),
      clients: [web],
    },
    found: { codes: ['redis.expiry-storm'], subject: '' },
    isReal: ({ grown }) => grown('expired_keys') > 50_000,
  },
  {
    name: 'a MONITOR that somebody has forgotten',
    load: { seed: [], clients: [web, { name: 'debugging', first: [['MONITOR']] }] },
    found: { codes: ['redis.monitor-running'], subject: 'MONITOR', who: 'debugging' },
    isReal: ({ clients }) => clients.some((line) => / name=debugging .* flags=O /.test(line)),
  },
  {
    name: 'a subscriber that reads nothing',
    settings: ['--client-output-buffer-limit', 'pubsub 512mb 256mb 60'],
    load: {
      seed: [],
      clients: [
        { name: 'screen', first: [['PSUBSCRIBE', 'news:*']], isDeaf: true },
        { name: 'editor', pace: { perSecond: 300 }, steps: [step('PUBLISH news:{9} {*50000}')] },
      ],
    },
    found: { codes: ['redis.client-behind'], subject: 'screen', who: 'screen' },
    also: ['redis.big-values'],
    isReal: ({ clients }) => clients.some((line) => / name=screen .* omem=\d{8}/.test(line)),
  },
  {
    name: 'a cache that is too small for what is put into it',
    settings: ['--maxmemory', '20mb', '--maxmemory-policy', 'allkeys-lru'],
    load: {
      seed: [filled('page:{i}', 2000, 10_000)],
      clients: [web, { name: 'cache', pace: { perSecond: 200 }, steps: [step('SET page:{1000000} {*10000}')] }],
    },
    found: { codes: ['redis.evicting'], subject: '', who: 'cache' },
    isReal: ({ grown }) => grown('evicted_keys') > 100,
  },
  {
    name: 'memory that is full, and nothing may be thrown out',
    settings: ['--maxmemory', '3mb'],
    load: {
      seed: [],
      // Well below what big values are from on, however fast the machine.
      clients: [{ name: 'shop', pace: { perSecond: 100 }, steps: [step('SET order:{1000000} {*20000}')] }],
    },
    found: { codes: ['redis.out-of-memory'], subject: '', who: 'shop' },
    isReal: ({ grown }) => grown('errorstat_OOM') > 50,
  },
  {
    name: 'a Redis that closes quiet connections, with a coturn at it',
    settings: ['--timeout', '60'],
    load: { seed: [], clients: [web, { name: '', pace: { perSecond: 100 }, steps: [step(TRAFFIC)] }] },
    found: { codes: ['redis.cuts-off-coturn'], subject: '' },
    isReal: ({ callsOf }) => callsOf('publish') > 100,
  },
  {
    name: 'a Redis that soon cuts off who counts the traffic of a coturn',
    settings: ['--client-output-buffer-limit', 'pubsub 1mb 256kb 10'],
    load: { seed: [keysOf(TURN, 15_000)], clients: [web, coturn] },
    found: { codes: ['redis.cuts-off-coturn'], subject: '' },
    also: ['redis.keys-of-coturn'],
    isReal: coturnSlow,
  },
  {
    name: 'no password, and everybody may come',
    isAlone: true,
    settings: ['--bind', '0.0.0.0', '--protected-mode', 'no'],
    load: nothing,
    found: { codes: ['redis.no-password'], subject: '' },
    isReal: ({ field }) => field('tcp_port') > 0,
  },
]
