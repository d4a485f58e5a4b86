/** Mixed loads with known truth, for what looks at a Redis to be measured against. */
import { type Load, step, type Words, weighted } from '../test/real/redis/load.ts'

const fill = (script: string): Words => ['EVAL', script, '0']
const SEED = [
  fill("for i=1,20000 do redis.call('SET','user:'..i..':profile',string.rep('x',200)) end"),
  fill("for i=1,2000 do for f=1,8 do redis.call('HSET','cart:'..i,'f'..f,'v') end end"),
  fill("for i=1,50 do for f=1,100 do redis.call('HSET','catalog:'..i,'field'..f,'value') end end"),
  fill("for i=1,400 do redis.call('RPUSH','feed:home','item'..i) end"),
]

/** Web servers that wait for each answer, an API by the clock, and jobs. */
const web: Load = {
  seed: SEED,
  clients: [
    {
      name: 'web',
      connections: 4,
      pace: { inFlight: 1 },
      steps: [
        weighted(6, 'GET user:{20000}:profile'),
        weighted(2, 'SET session:{9999} {*80}'),
        step('HGETALL cart:{2000}'),
      ],
    },
    {
      name: 'api',
      connections: 2,
      pace: { perSecond: 3000 },
      steps: [weighted(3, 'GET user:{20000}:profile'), step('HGETALL catalog:{50}')],
    },
    { name: 'jobs', pace: { perSecond: 100 }, steps: [step('LRANGE feed:home 0 -1')] },
    { name: 'cron', pace: { perSecond: 500, batch: 50 }, steps: [step('GET stock:{500}')] },
  ],
}

/** Batches of sixteen beside single requests. */
const batches: Load = {
  seed: SEED,
  clients: [
    {
      name: 'importer',
      pace: { inFlight: 16 },
      steps: [weighted(3, 'SET user:{20000}:profile {*200}'), step('GET user:{20000}:profile')],
    },
    {
      name: 'web',
      connections: 3,
      pace: { perSecond: 2000 },
      steps: [weighted(4, 'GET user:{20000}:profile'), step('GET cart:flag:{99}')],
    },
    {
      name: 'stats',
      pace: { perSecond: 300, batch: 30 },
      steps: [step('HGETALL catalog:{50}'), step('HGETALL cart:{2000}')],
    },
  ],
}

/** Scripts, transactions, and somebody who asks KEYS. */
const scripts: Load = {
  seed: SEED,
  clients: [
    {
      name: 'limiter',
      connections: 2,
      pace: { perSecond: 1500 },
      steps: [
        step([
          'EVAL',
          "local n=redis.call('INCR',KEYS[1]) redis.call('EXPIRE',KEYS[1],60) return n",
          '1',
          'limit:{500}',
        ]),
      ],
    },
    {
      name: 'orders',
      pace: { perSecond: 400 },
      steps: [step('MULTI', 'INCR order:next', 'SET order:{9999} {*100}', 'EXEC')],
    },
    {
      name: 'web',
      connections: 2,
      pace: { inFlight: 1 },
      steps: [weighted(5, 'GET user:{20000}:profile'), step('INCR hits:{50}')],
    },
    { name: 'reporter', pace: { perSecond: 1 }, steps: [step('KEYS user:77*:profile')] },
  ],
}

export const mixes: Readonly<Record<string, Load>> = { web, batches, scripts }
