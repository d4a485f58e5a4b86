/**
 * What does it cost this process to hear a million events through a Redis, read and folded?
 *
 * `fettle` is the meter's own reader; beside it stand the two clients that Node has for Redis, each handing channel and
 * message as bytes to the same fold. A real Redis, its buffer limit lifted; all of them in turn in every round, each
 * alone. What the fold holds at the end must be what was published.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism, cpus } from 'node:os'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { spread, TOKEN } from './process.ts'
import { startCoturn } from './stream.ts'

const names = ['fettle', 'redis', 'ioredis'] as const
const rounds = Number(process.argv[2] ?? 5)
const LIVE = 1000
const cases = [
  { what: 'as fast as it comes', rate: 2_000_000, ms: 2500 },
  { what: '50000 a second', rate: 50_000, ms: 4000 },
] as const
const WARM_MS = 1000

const port = 20_000 + Math.floor(Math.random() * 10_000)

interface Known {
  readonly cpuSeconds: number
  readonly events: number
  /** Bytes received from clients. */
  readonly received: number
}

async function startRedis() {
  const settings = ['--save', '', '--appendonly', 'no', '--client-output-buffer-limit', 'pubsub 0 0 0']
  const words = ['--port', `${port}`, '--bind', '127.0.0.1', '--requirepass', TOKEN, ...settings]
  const child = spawn('redis-server', words, { stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const line of createInterface({ input: child.stdout })) if (line.includes('Ready to accept')) return child
  throw new Error('redis-server did not start: sudo apt-get install -y redis-server')
}

async function startSubscriber(name: string) {
  const script = fileURLToPath(new URL('./redis-subject.ts', import.meta.url))
  // The young generation as `serve` gives it to its threads, to all alike.
  const words = ['--max-semi-space-size=1', script, name, `${port}`]
  const child = spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const line = async (): Promise<string> => {
    const { value, done } = await lines.next()
    if (done) throw new Error(`${name} ended`)
    return value
  }
  await line()
  return {
    async known(): Promise<Known> {
      child.stdin.write('cost\n')
      return JSON.parse(await line())
    },
    async stop() {
      const gone = once(child, 'exit')
      child.stdin.end()
      await gone
    },
  }
}

/** CPU-seconds for a million events. */
async function measure(name: string, rate: number, ms: number): Promise<number> {
  const subscriber = await startSubscriber(name)
  const coturn = await startCoturn(port, TOKEN, LIVE)
  try {
    await coturn.open()
    await coturn.report(rate, WARM_MS)
    const settled = async () => {
      for (let last = -1; ; await wait(200)) {
        const known = await subscriber.known()
        if (known.events === last) return known
        last = known.events
      }
    }
    const before = await settled()
    const answered = coturn.answered()
    const received = await coturn.report(rate, ms)
    const after = await settled()
    const events = Math.round(coturn.answered() - answered)
    if (after.events - before.events !== events || after.received - before.received !== received) {
      throw new Error(`${name} has heard ${after.events - before.events} of ${events} events`)
    }
    return ((after.cpuSeconds - before.cpuSeconds) / events) * 1e6
  } finally {
    coturn.close()
    await subscriber.stop()
  }
}

const redis = await startRedis()
try {
  const { model } = cpus()[0]!
  process.stdout.write(`CPU-seconds a million events; ${rounds} rounds; ${availableParallelism()} x ${model}\n`)
  for (const { what, rate, ms } of cases) {
    const found = new Map<string, number[]>(names.map((name) => [name, []]))
    for (let round = 0; round < rounds; round++) {
      for (const name of names) found.get(name)!.push(await measure(name, rate, ms))
    }
    process.stdout.write(`\n${what}, ${LIVE} live allocations\n`)
    for (const name of names) {
      const { median, least, most } = spread(found.get(name)!)
      const ratio = spread(found.get(name)!.map((value, i) => value / found.get('fettle')![i]!))
      const figures = `${median.toFixed(2)}  (${least.toFixed(2)} to ${most.toFixed(2)})`
      process.stdout.write(`  ${name.padEnd(8)}${figures}  ${ratio.median.toFixed(2)} x fettle\n`)
    }
  }
} finally {
  redis.kill()
}
