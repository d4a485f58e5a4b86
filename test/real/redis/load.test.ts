/** The load that other tests rely on: what it counts is what the server counts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ground, until } from '../harness.ts'
import { ask, startRedis } from '../redis.ts'
import { type Load, startLoad, step, weighted } from './load.ts'
import { Replies } from './replies.ts'

test('replies are counted wherever they are cut', () => {
  const text = '+OK\r\n:5\r\n$3\r\na\r\n\r\n-ERR no\r\n*0\r\n*-1\r\n$0\r\n\r\n*2\r\n$1\r\n7\r\n*2\r\n$-1\r\n:1\r\n'
  const all = Buffer.from(text)
  for (let size = 1; size <= all.length; size++) {
    for (const wantsFirst of [false, true]) {
      const replies = new Replies(wantsFirst)
      let whole = 0
      for (let at = 0; at < all.length; at += size) whole += replies.take(all.subarray(at, at + size))
      assert.deepEqual([whole, replies.errors, replies.first], [8, 1, wantsFirst ? '7' : ''], `${size}`)
    }
  }
})

const load: Load = {
  seed: [['EVAL', "for i=1,1000 do redis.call('SET','user:'..i,'x') end", '0']],
  clients: [
    {
      name: 'web',
      connections: 3,
      pace: { perSecond: 300 },
      steps: [weighted(3, 'GET user:{1000}'), step('SET session:{9} {*50}')],
    },
    { name: 'jobs', pace: { inFlight: 4 }, steps: [step('MULTI', 'INCR counter:{5}', 'EXEC')] },
    { name: 'admin', pace: { inFlight: 1 }, steps: [step('SCAN {cursor} COUNT 100')] },
    { name: 'php', pace: { perSecond: 20 }, steps: [step('GET user:{9}')], isFresh: true },
  ],
}

/** Between the server's count and the answer. */
const IN_FLIGHT = 20

test('a load counts what the server does, and goes on when its connections are killed', async (t) => {
  const ground = new Ground(t)
  const redis = await startRedis(ground)
  const running = await startLoad(t, redis, load)
  const stats = async () => {
    const lines = await ask(redis, ground, 'info', 'commandstats')
    return new Map(
      lines.flatMap((line) => [...line.matchAll(/^cmdstat_(.+):calls=(\d+)/g)].map((m) => [m[1]!, Number(m[2])])),
    )
  }
  const calls = async (name: string, client?: string) =>
    (await running.truth())
      .filter((one) => one.command === name && (client === undefined || one.client === client))
      .reduce((sum, one) => sum + one.calls, 0)
  await running.mark()
  await until('calls', async () => (await calls('get')) > 100)
  await ask(redis, ground, 'client', 'kill', 'type', 'normal', 'skipme', 'yes')
  await running.mark()
  const before = await calls('get', 'web')
  await until('more calls after it', async () => (await calls('get', 'web')) > before + 100)
  const names = await ask(redis, ground, 'client', 'list')
  for (const { name } of load.clients.slice(0, 3)) {
    const isThere = names.some((line) => line.includes(` name=${name} `))
    assert.ok(isThere, name)
  }

  const outer = [await stats()]
  await running.mark()
  const inner = [await stats()]
  await until('a second or so', async () => (await calls('get')) > 300)
  inner.push(await stats())
  const truth = await running.truth()
  outer.push(await stats())
  for (const name of ['get', 'set', 'incr', 'scan']) {
    const [least, most] = [inner, outer].map(([from, to]) => to!.get(name)! - from!.get(name)!) as [number, number]
    const counted = truth.filter(({ command }) => command === name).reduce((sum, one) => sum + one.calls, 0)
    t.diagnostic(`${name}: ${counted} counted, ${least} to ${most} at the server`)
    assert.ok(least - IN_FLIGHT <= counted && counted <= most + IN_FLIGHT, name)
  }
  assert.equal(await running.errors(), 0)
  await running.stop()
  assert.equal((await ask(redis, ground, 'client', 'list')).length, 1)
})
