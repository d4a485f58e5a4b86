/** What coturn's commands are passed on to, as a test wants it: it keeps what comes and answers as it is told. */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import type { RedisTarget } from '../src/ingest/redis-url.ts'
import { RequestReader } from '../src/ingest/resp-frame.ts'
import { type Endpoint, openEndpoint, request, until } from './resp-endpoint.ts'

/** The reply to a command; null: none. */
export type Answer = (words: readonly string[]) => string | null

/** As a Redis that holds nothing. */
export const plainAnswer: Answer = ([command = '']) => {
  if (command.toUpperCase() === 'PING') return '+PONG\r\n'
  if (command.toUpperCase() === 'KEYS') return '*0\r\n'
  return /^(publish|del)$/i.test(command) ? ':1\r\n' : '+OK\r\n'
}

/** One connection to it. */
export class Guest {
  readonly socket: Socket
  /** The commands, their words with spaces between. */
  readonly commands: string[] = []
  closed = false
  readonly #chunks: Buffer[] = []
  #rest = Buffer.alloc(0)

  constructor(socket: Socket, answer: (words: readonly string[]) => string | null) {
    this.socket = socket
    const reader = new RequestReader()
    socket.on('error', () => {})
    socket.on('close', () => {
      this.closed = true
    })
    socket.on('data', (chunk) => {
      this.#chunks.push(chunk)
      this.#rest = Buffer.concat([this.#rest, chunk])
      reader.open(this.#rest)
      while (reader.next() === 'request') {
        const words = Array.from({ length: reader.count }, (_, i) => reader.text(i))
        this.commands.push(words[0] === 'PING' ? 'PING' : words.join(' '))
        const reply = answer(words)
        if (reply !== null) socket.write(reply, 'latin1')
      }
      this.#rest = this.#rest.subarray(reader.at)
    })
  }

  /** All that came, as it came. */
  get bytes(): Buffer {
    return Buffer.concat(this.#chunks)
  }

  /** What came behind the greeting, when that is the PING alone. */
  get said(): Buffer {
    return this.bytes.subarray(GREETING_LENGTH)
  }
}

export class FakeRedis {
  readonly guests: Guest[] = []
  answer: Answer
  port = 0
  #server: Server | undefined

  private constructor(answer: Answer) {
    this.answer = answer
  }

  static async start(t: TestContext, answer: Answer = plainAnswer): Promise<FakeRedis> {
    const redis = new FakeRedis(answer)
    await redis.listen()
    t.after(() => redis.stop())
    return redis
  }

  /** After a stop on the same port again. */
  async listen(): Promise<void> {
    const server = createServer((socket) => {
      this.guests.push(new Guest(socket, (words) => this.answer(words)))
    })
    this.#server = server
    await once(server.listen(this.port, '127.0.0.1'), 'listening')
    this.port = (server.address() as { port: number }).port
  }

  async stop(): Promise<void> {
    if (this.#server === undefined) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server = undefined
    for (const { socket } of this.guests) socket.destroy()
    await closed
  }

  target(more: Partial<RedisTarget> = {}): RedisTarget {
    const none = { tls: false, username: null, password: null, database: null }
    return { host: '127.0.0.1', port: this.port, ...none, ...more }
  }
}

const GREETING_LENGTH = request('PING', randomUUID()).length

export const path = 'turn/user/alice/allocation/000000000000000001'
export const status =
  'new lifetime=600, type=UDP, local=192.0.2.1:3478, remote=198.51.100.7:40000, ssl=NONE, cipher=NONE'
export const event = request('publish', `${path}/status`, 'deleted')
/** What coturn says in a call. */
export const call = [
  request('set', `${path}/status`, status),
  request('publish', `${path}/status`, status),
  request('publish', '__XXX__', '__YYY__'),
  request('publish', `${path}/traffic`, 'rcvp=1024, rcvb=512000, sentp=1024, sentb=512000'),
  request('del', `${path}/status`, ''),
  request('PubLish', `${path}/status`, 'deleted'),
]
export const callBytes = Buffer.concat(call)
export const callReplies = '+OK\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n'
export const KEYS = request('keys', 'turn/*/allocation/*/status')

export interface Scene {
  readonly redis: FakeRedis
  readonly endpoint: Endpoint
  /** Lets a quarter of a second pass. */
  look(times?: number): void
}

export async function openScene(t: TestContext, target: Partial<RedisTarget> = {}, redis?: FakeRedis): Promise<Scene> {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const upstream = redis ?? (await FakeRedis.start(t))
  const endpoint = await openEndpoint(t, [{}], {}, { forward: upstream.target(target) })
  const look = (times = 1) => {
    for (let i = 0; i < times; i++) t.mock.timers.tick(250)
  }
  return { redis: upstream, endpoint, look }
}

export const forwardOf = (endpoint: Endpoint) => endpoint.source.status().forward!

export const whysOf = (endpoint: Endpoint) =>
  endpoint.notices.flatMap((notice) => (notice.kind === 'forward' ? [notice.why] : []))

/** Waits until all that was passed on so far is answered or dropped. */
export const isSettled = (endpoint: Endpoint, commands: number) =>
  until(() => {
    const { passed, dropped } = forwardOf(endpoint)
    return passed + dropped >= commands
  }, `${commands} commands passed or dropped`)
/** `event` as a FakeRedis keeps it. */
export const EVENT = `publish ${path}/status deleted`
