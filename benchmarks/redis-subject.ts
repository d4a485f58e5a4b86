/**
 * One who subscribes to a Redis, in a process of its own: `redis-subject.ts NAME PORT`. Each hands the same events to
 * the same fold; nothing is stored. Answers each line on its standard input with what it has cost so far.
 */
import { createInterface } from 'node:readline'
import { Recorder, redisSource, type Source, type Store, startMeter, systemClock } from '@fettle/relay'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { TOKEN } from './process.ts'

const [name = '', port = ''] = process.argv.slice(2)
const PATTERN = 'turn/*'
const plain = { tls: false, username: null, database: null }
const clock = systemClock()
const { promise: ready, resolve: isReady } = Promise.withResolvers<void>()

type Heard = (channel: Uint8Array, message: Uint8Array) => void

/** A source over a client that hands over channel and message as bytes. */
function over(subscribe: (heard: Heard) => Promise<unknown>): Source {
  const claims = [{ source: 'redis', name, bootAware: false, version: null }]
  let flush: NodeJS.Immediate | undefined
  return {
    claims,
    async start([stream], sink) {
      const recorder = new Recorder(stream!.id, sink)
      await subscribe((channel, message) => {
        // The time is stamped once for what was read at once, as ours is.
        if (flush === undefined) recorder.at(clock.now())
        flush ??= setImmediate(() => {
          flush = undefined
          recorder.flush()
        })
        recorder.publish(channel, message)
      })
      isReady()
    },
    async stop() {},
  }
}

const sources: Readonly<Record<string, () => Source>> = {
  fettle: () =>
    redisSource({
      target: { host: '127.0.0.1', port: Number(port), ...plain, password: TOKEN },
      now: clock.now,
      on: ({ kind }) => {
        if (kind === 'redis looked') isReady()
      },
    }),
  redis: () =>
    over(async (heard) => {
      const client = createClient({ password: TOKEN, socket: { host: '127.0.0.1', port: Number(port) } })
      await client.connect()
      await client.pSubscribe(PATTERN, (message, channel) => heard(channel, message), true)
    }),
  ioredis: () =>
    over(async (heard) => {
      const client = new Redis({ host: '127.0.0.1', port: Number(port), password: TOKEN })
      client.on('pmessageBuffer', (_, channel: Buffer, message: Buffer) => heard(channel, message))
      await client.psubscribe(PATTERN)
    }),
}

const unheard = {
  boot: 0,
  position: 0,
  heardAt: Number.NaN,
  deafSince: Number.NaN,
  peer: false,
  cursor: null,
  time: null,
  isAwaited: false,
  malformed: 0,
}
const store: Store = {
  async restore() {
    return {
      streams: [{ id: 1, name, bootAware: false, version: null, ...unheard }],
      nextId: 1,
      live: [],
      rejected: [],
    }
  },
  async commit() {
    return { ended: [] }
  },
  async recall() {
    return []
  },
  async close() {},
}

const { state } = await startMeter({ source: sources[name]!(), store, clock })
await ready
process.stdout.write('ready\n')
for await (const _ of createInterface({ input: process.stdin })) {
  const { user, system } = process.cpuUsage()
  const { realms, sums } = state.relayed
  const received = realms.reduce((sum, _, i) => sum + sums[i * 8 + 1]!, 0)
  const { position } = state.streams.get(1)!
  process.stdout.write(`${JSON.stringify({ cpuSeconds: (user + system) / 1e6, events: position, received })}\n`)
}
process.exit(0)
