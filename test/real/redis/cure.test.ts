/** The cure of an old note, measured: KEYS, then SCAN in its place, then an index; and what `fettle compare` says. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Comparison } from '@fettle/report'
import { fettle } from '../fettle.ts'
import { exitOf, Ground } from '../harness.ts'
import { type Redis, startRedis } from '../redis.ts'
import { keysOf } from './data.ts'
import { type LoadClient, startLoad, step } from './load.ts'

const SECONDS = 8
const KEYS = 300_000
/** How often somebody wants to know which keys there are. */
const POLLS = 1
const COUNT = 100

const web: LoadClient = { name: 'web', connections: 2, pace: { perSecond: 200 }, steps: [step('GET user:{300000}')] }
const reporter = (pace: LoadClient['pace'] & object, command: string): LoadClient => ({
  name: 'reporter',
  pace,
  connections: 4,
  steps: [step(command)],
})

async function look(ground: Ground, { host, port }: Redis, client: LoadClient): Promise<void> {
  const endings: (() => Promise<void>)[] = []
  const load = await startLoad({ after: (hook) => endings.push(hook) }, { host, port } as Redis, {
    seed: [],
    clients: [web, client],
  })
  const words = ['redis', 'check', `redis://${host}:${port}`, '--for', `${SECONDS}`, '--sample', '--save']
  const running = fettle(ground, ...words, '--data', join(ground.folder, 'data'))
  await exitOf(running, 60)
  assert.match(running.output, /^kept: /m)
  await load.stop()
  for (const end of endings) await end()
}

async function compared(ground: Ground): Promise<Map<string, Comparison['changes'][number]>> {
  const running = fettle(ground, 'compare', '--json', '--data', join(ground.folder, 'data'))
  await exitOf(running)
  const { changes } = JSON.parse(running.output) as Comparison
  return new Map(changes.map((one) => [one.name, one]))
}

test('[D4, D10] KEYS -> SCAN ends the blocking and costs more CPU; an index costs next to nothing', async (t) => {
  const ground = new Ground(t)
  const redis = await startRedis(ground)
  const seed = await startLoad(t, redis, {
    seed: [keysOf('user:{i}', KEYS), ['EVAL', "for i = 1, 100 do redis.call('SADD', 'index:user', i) end", '0']],
    clients: [],
  })
  await seed.stop()
  await look(ground, redis, reporter({ perSecond: POLLS }, 'KEYS user:1234*'))
  await look(
    ground,
    redis,
    reporter({ perSecond: (POLLS * KEYS) / COUNT }, `SCAN {cursor} MATCH user:1234* COUNT ${COUNT}`),
  )
  const scan = await compared(ground)
  const said = (changes: typeof scan) =>
    ['blocked', 'cpu'].map((name) => `${name} ${changes.get(name)?.before.value} -> ${changes.get(name)?.after.value}`)
  t.diagnostic(`KEYS -> SCAN: ${said(scan).join(', ')}`)
  assert.equal(scan.get('blocked')?.verdict, 'better', said(scan).join())
  assert.equal(scan.get('cpu')?.verdict, 'worse', said(scan).join())
  await look(ground, redis, reporter({ perSecond: POLLS }, 'SMEMBERS index:user'))
  const index = await compared(ground)
  t.diagnostic(`SCAN -> index: ${said(index).join(', ')}`)
  assert.equal(index.get('cpu')?.verdict, 'better', said(index).join())
  assert.notEqual(index.get('blocked')?.verdict, 'worse', said(index).join())
})
