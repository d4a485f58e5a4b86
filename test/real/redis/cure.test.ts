/** The cure of an old note, measured: KEYS, then SCAN in its place, then an index; and what `fettle compare` says. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Comparison } from '@fettle/report'
import { fettle } from '../fettle.ts'
import { exitOf, Ground } from '../harness.ts'
import { ask, type Redis, startRedis } from '../redis.ts'
import { keysOf } from './data.ts'
import { type LoadClient, startLoad, step } from './load.ts'

const SECONDS = 8
const KEYS = 300_000
/** How often somebody wants to know which keys there are. */
const POLLS = 1
const COUNT = 100
/** KEYS over so many takes far longer than this; a SCAN of so few never does, unless others take the CPU from it. */
const SLOW_MS = 20
/** On a busy machine they may do so now and then; a look meanwhile says nothing of the cure. */
const TRIES = 3

const web: LoadClient = { name: 'web', connections: 2, pace: { perSecond: 200 }, steps: [step('GET user:{300000}')] }
const reporter = (pace: LoadClient['pace'] & object, command: string): LoadClient => ({
  name: 'reporter',
  pace,
  connections: 4,
  steps: [step(command)],
})

/** Looks once; where the report was kept, and whether the server itself has noticed a slow command meanwhile. */
async function look(ground: Ground, redis: Redis, client: LoadClient) {
  const { host, port } = redis
  const endings: (() => Promise<void>)[] = []
  await ask(redis, ground, 'latency', 'reset')
  const load = await startLoad({ after: (hook) => endings.push(hook) }, { host, port } as Redis, {
    seed: [],
    clients: [web, client],
  })
  const words = ['redis', 'check', `redis://${host}:${port}`, '--for', `${SECONDS}`, '--sample', '--save']
  const running = fettle(ground, ...words, '--data', join(ground.folder, 'data'))
  await exitOf(running, 60)
  const kept = /^kept: (.*)$/m.exec(running.output)?.[1]
  assert.ok(kept !== undefined, running.output)
  const held = await ask(redis, ground, 'latency', 'history', 'command')
  await load.stop()
  for (const end of endings) await end()
  return { kept, isSlow: held.length > 0 }
}

async function compared(ground: Ground, ...reports: string[]): Promise<Map<string, Comparison['changes'][number]>> {
  const running = fettle(ground, 'compare', '--json', ...reports, '--data', join(ground.folder, 'data'))
  await exitOf(running)
  const { changes } = JSON.parse(running.output) as Comparison
  return new Map(changes.map((one) => [one.name, one]))
}

test('[D4, D10] KEYS -> SCAN ends the blocking and costs more CPU; an index costs next to nothing', async (t) => {
  const ground = new Ground(t)
  const slow = ['--slowlog-log-slower-than', `${SLOW_MS * 1000}`, '--latency-monitor-threshold', `${SLOW_MS}`]
  const redis = await startRedis(ground, ...slow)
  const seed = await startLoad(t, redis, {
    seed: [keysOf('user:{i}', KEYS), ['EVAL', "for i = 1, 100 do redis.call('SADD', 'index:user', i) end", '0']],
    clients: [],
  })
  await seed.stop()
  const keys = await look(ground, redis, reporter({ perSecond: POLLS }, 'KEYS user:1234*'))
  assert.ok(keys.isSlow, 'KEYS is slow, as the server itself says')
  const scans = reporter({ perSecond: (POLLS * KEYS) / COUNT }, `SCAN {cursor} MATCH user:1234* COUNT ${COUNT}`)
  const said = (changes: typeof scan) =>
    ['blocked', 'cpu'].map((name) => `${name} ${changes.get(name)?.before.value} -> ${changes.get(name)?.after.value}`)
  const lookAtScans = async () => {
    const { kept, isSlow } = await look(ground, redis, scans)
    return { kept, isSlow, scan: await compared(ground, keys.kept, kept) }
  }
  let { kept: scanned, isSlow, scan } = await lookAtScans()
  for (let i = 1; i < TRIES && isSlow && scan.get('blocked')?.verdict !== 'better'; i++) {
    t.diagnostic(`a short command was held up: ${said(scan).join(', ')}`)
    ;({ kept: scanned, isSlow, scan } = await lookAtScans())
  }
  t.diagnostic(`KEYS -> SCAN: ${said(scan).join(', ')}`)
  assert.equal(scan.get('blocked')?.verdict, 'better', said(scan).join())
  assert.equal(scan.get('cpu')?.verdict, 'worse', said(scan).join())
  const indexed = await look(ground, redis, reporter({ perSecond: POLLS }, 'SMEMBERS index:user'))
  const index = await compared(ground, scanned, indexed.kept)
  t.diagnostic(`SCAN -> index: ${said(index).join(', ')}`)
  assert.equal(index.get('cpu')?.verdict, 'better', said(index).join())
  assert.notEqual(index.get('blocked')?.verdict, 'worse', said(index).join())
})
