/**
 * What does looking at a Redis cost the Redis? CPU of its main thread for a command, and commands a second, while
 * `redis-benchmark` asks GET with 50 clients, one by one and in batches of sixteen: with nobody looking, with
 * `fettle redis check --sample` all the time, with MONITOR read by redis-cli, and with MONITOR for moments. All in turn
 * in every round, each beside nothing before and after it.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { fettle } from '../test/real/fettle.ts'
import { exitOf, find, Ground, type Running } from '../test/real/harness.ts'
import { ask, type Redis, startRedis } from '../test/real/redis.ts'
import { spreadText } from './process.ts'

const rounds = Number(process.argv[2] ?? 7)
const SECONDS = 4
const START_MS = 2500
const DEPTHS = [1, 16]

const endings: (() => Promise<void>)[] = []
const ground = new Ground({ after: (hook) => endings.push(hook) })
const redis = await startRedis(ground)

type Look = (redis: Redis) => () => Promise<void>
const looks: Readonly<Record<string, Look>> = {
  'nothing again': () => async () => {},
  'fettle redis check --sample': ({ host, port }) => {
    const running = fettle(ground, 'redis', 'check', `redis://${host}:${port}`, '--sample', '--for', `${SECONDS + 3}`)
    return async () => {
      await exitOf(running)
    }
  },
  MONITOR: (one) => {
    const running = monitor(one)
    return () => ended(running)
  },
  'MONITOR, 10 ms of 500': (one) => {
    let isOver = false
    const bursts = (async () => {
      while (!isOver) {
        const running = monitor(one)
        // A process of its own takes longer to start than to read.
        await wait(10)
        await ended(running)
        await wait(490)
      }
    })()
    return async () => {
      isOver = true
      await bursts
    }
  },
}

/** What it prints is read and thrown away. */
function monitor({ host, port }: Redis): Running {
  return ground.start('/bin/sh', ['-c', `exec ${find('redis-cli')} -h ${host} -p ${port} monitor > /dev/null`])
}

async function ended(running: Running): Promise<void> {
  running.kill('SIGKILL')
  await running.ended
}

async function counters(): Promise<{ cpu: number; commands: number; at: number }> {
  const text = (await ask(redis, ground, 'info', 'all')).join('\n')
  const of = (name: string) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(text)![1])
  return {
    cpu: of('used_cpu_sys_main_thread') + of('used_cpu_user_main_thread'),
    commands: of('total_commands_processed'),
    at: performance.now() / 1000,
  }
}

interface Cost {
  readonly cpu: number
  readonly rate: number
}

/** CPU of the main thread for a command, in microseconds, and commands a second. */
async function measure(): Promise<Cost> {
  const before = await counters()
  await wait(SECONDS * 1000)
  const after = await counters()
  const commands = after.commands - before.commands
  return { cpu: ((after.cpu - before.cpu) / commands) * 1e6, rate: commands / (after.at - before.at) }
}

const found = new Map<string, { cpu: number[]; rate: number[]; times: number[] }>()

/** Each look stands between two times without one, and is told by their mean. */
async function compare(depth: number): Promise<void> {
  const words = ['-h', redis.host, '-p', `${redis.port}`, '-c', '50', '-n', '1000000000', '-P', `${depth}`, '-q']
  const load = ground.start(find('redis-benchmark'), [...words, 'get', 'key'])
  await wait(1000)
  let alone = await measure()
  for (const [name, look] of Object.entries(looks)) {
    const stop = look(redis)
    // fettle takes a moment to start, and that is none of the server's.
    await wait(START_MS)
    const seen = await measure()
    await stop()
    const again = await measure()
    const all = found.get(`${depth} ${name}`) ?? { cpu: [], rate: [], times: [] }
    found.set(`${depth} ${name}`, all)
    all.cpu.push(seen.cpu)
    all.rate.push(seen.rate / ((alone.rate + again.rate) / 2))
    all.times.push(seen.cpu / ((alone.cpu + again.cpu) / 2))
    alone = again
  }
  await ended(load)
}

await ask(redis, ground, 'set', 'key', 'value')
try {
  for (let round = 0; round < rounds; round++) {
    for (const depth of DEPTHS) await compare(depth)
    process.stderr.write(`round ${round + 1} of ${rounds}\n`)
  }
} finally {
  for (const end of endings) await end()
}
process.stdout.write('depth and who looks: us of the main thread for a command; times nothing; rate, times nothing\n')
for (const [key, { cpu, rate, times }] of found) {
  process.stdout.write(`${key.padEnd(32)} ${spreadText(cpu, 2)}  ${spreadText(times, 3)}  ${spreadText(rate, 2)}\n`)
}
