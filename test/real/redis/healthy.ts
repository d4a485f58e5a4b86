/** Loads that are as they should be: nothing may be found in any of them. */
import { ask } from '../redis.ts'
import { keysOf, members } from './data.ts'
import { nothing, step, weighted } from './load.ts'
import type { Patient } from './patient.ts'

export interface Healthy extends Patient {
  /** Calls of these commands there must have been at least, or nothing was looked at. */
  readonly seen: Readonly<Record<string, number>>
}

const TURN = 'turn/realm/example.org/user/{99}:ann/allocation/{99}'
const LIMITER =
  "local n = redis.call('INCR', KEYS[1]) if n == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end return n"

const single: readonly Healthy[] = [
  { name: 'idle', load: nothing, seen: {} },
  {
    name: 'a modest cache of web pages',
    settings: ['--maxmemory', '200mb', '--maxmemory-policy', 'allkeys-lru'],
    load: {
      seed: [keysOf('page:{i}', 20_000)],
      clients: [
        {
          name: 'web',
          connections: 10,
          pace: { perSecond: 500 },
          steps: [weighted(9, 'GET page:{20000}'), step('SET page:{20000} {*2000} EX 600')],
        },
      ],
    },
    seen: { get: 500, set: 50 },
  },
  {
    name: 'several programs, each with keys of its own',
    load: {
      seed: [],
      clients: [
        { name: 'web', connections: 4, pace: { perSecond: 300 }, steps: [step('GET user:{1000}:profile')] },
        { name: 'api', connections: 2, pace: { perSecond: 150 }, steps: [step('GET token:{1000}')] },
        { name: 'cron', pace: { perSecond: 50 }, steps: [step('GET job:{20}:state'), step('SET job:{20}:state done')] },
      ],
    },
    seen: { get: 500 },
  },
  {
    name: 'a batch job that pipelines',
    load: {
      seed: [],
      clients: [{ name: 'import', pace: { perSecond: 5000, batch: 100 }, steps: [step('SET row:{100000} {*100}')] }],
    },
    seen: { set: 5000 },
  },
  {
    name: 'statistics of a coturn, and one who hears them',
    load: {
      seed: [],
      clients: [
        { name: 'meter', first: [['PSUBSCRIBE', 'turn/*']] },
        {
          name: '',
          connections: 4,
          pace: { perSecond: 300 },
          steps: [
            weighted(20, ['PUBLISH', `${TURN}/traffic`, 'rcvp=1024, rcvb=1000000, sentp=1024, sentb=90000']),
            step(['SET', `${TURN}/status`, 'new lifetime=600'], ['PUBLISH', `${TURN}/status`, 'new lifetime=600']),
          ],
        },
      ],
    },
    seen: { publish: 300 },
  },
  {
    name: 'workers that wait for a queue',
    load: {
      seed: [],
      clients: [
        { name: 'worker', connections: 5, pace: { inFlight: 1 }, steps: [step('BLPOP queue:mail 1')] },
        { name: 'web', pace: { perSecond: 50 }, steps: [step('RPUSH queue:mail {*200}')] },
      ],
    },
    seen: { blpop: 50, rpush: 50 },
  },
  {
    name: 'a stream and a group of its consumers',
    load: {
      seed: [['XGROUP', 'CREATE', 'events', 'billing', '$', 'MKSTREAM']],
      clients: [
        {
          name: 'billing',
          connections: 3,
          pace: { inFlight: 1 },
          steps: [step('XREADGROUP GROUP billing one COUNT 10 BLOCK 500 STREAMS events >')],
        },
        { name: 'web', pace: { perSecond: 60 }, steps: [step('XADD events MAXLEN ~ 1000 * kind order id {9999}')] },
      ],
    },
    seen: { xreadgroup: 20, xadd: 60 },
  },
  {
    name: 'sessions with lifetimes',
    load: {
      seed: [keysOf('session:{i}', 5000, 60_000)],
      clients: [
        {
          name: 'web',
          connections: 6,
          pace: { perSecond: 300 },
          steps: [
            weighted(6, 'GET session:{5000}'),
            weighted(2, 'EXPIRE session:{5000} 60'),
            step('SET session:{9999} {*300} PX 1500'),
          ],
        },
      ],
    },
    seen: { get: 200, expire: 50 },
  },
  {
    name: 'a board of the best',
    load: {
      seed: [members('zset', 'board', 20_000)],
      clients: [
        {
          name: 'game',
          connections: 4,
          pace: { perSecond: 300 },
          steps: [step('ZADD board {100000} item{20000}'), weighted(2, 'ZREVRANGE board 0 9 WITHSCORES')],
        },
      ],
    },
    seen: { zadd: 100, zrevrange: 200 },
  },
  {
    name: 'a short script that limits rates',
    load: {
      seed: [],
      clients: [
        {
          name: 'api',
          connections: 4,
          pace: { perSecond: 300 },
          steps: [step(['EVAL', LIMITER, '1', 'rate:{500}', '10'])],
        },
      ],
    },
    seen: { eval: 300 },
  },
  {
    name: 'counters in transactions',
    load: {
      seed: [],
      clients: [
        {
          name: 'shop',
          connections: 3,
          pace: { perSecond: 100 },
          steps: [step('MULTI', 'INCR orders:{31}', 'INCRBY sum:{31} {500}', 'EXEC')],
        },
      ],
    },
    seen: { exec: 100 },
  },
  {
    name: 'an administrator who looks through the keys now and then',
    load: {
      seed: [keysOf('user:{i}', 20_000)],
      clients: [
        { name: 'web', connections: 4, pace: { perSecond: 200 }, steps: [step('GET user:{20000}')] },
        { name: 'admin', pace: { perSecond: 100 }, steps: [step('SCAN {cursor} MATCH user:{9}* COUNT 100')] },
      ],
    },
    seen: { scan: 100, get: 200 },
  },
  {
    name: 'a big hash, of which single fields are asked for',
    load: {
      seed: [members('hash', 'prices', 200_000)],
      clients: [
        {
          name: 'shop',
          connections: 4,
          pace: { perSecond: 300 },
          steps: [weighted(3, 'HGET prices field{200000}'), step('HMGET prices field{200000} field{200000}')],
        },
      ],
    },
    seen: { hget: 200, hmget: 50 },
  },
]

export const healthy: readonly Healthy[] = [
  ...single,
  {
    name: 'all of these at one server',
    load: { seed: single.flatMap(({ load }) => load.seed), clients: single.flatMap(({ load }) => load.clients) },
    seen: { get: 500, set: 500, publish: 100, hget: 100 },
  },
  {
    name: 'one that saves meanwhile, to both of its files',
    settings: ['--save', '3600 1', '--appendonly', 'yes', '--appendfsync', 'everysec'],
    load: {
      seed: [keysOf('user:{i}', 100_000)],
      clients: [{ name: 'web', connections: 4, pace: { perSecond: 200 }, steps: [step('SET user:{100000} {*100}')] }],
    },
    meanwhile: (ground, redis) => ask(redis, ground, 'bgsave'),
    seen: { set: 200 },
  },
]
