/** The endpoint on a real socket, without a store: what it hands on stands as lines of text. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { type Batch, gapReasons, Kind } from '../src/core/event.ts'
import { createStream, type Stream } from '../src/core/state.ts'
import { type RespNotice, type RespOptions, type RespServer, type RespSource, respSource } from '../src/ingest/resp.ts'

const kinds = Object.entries(Kind)

/** Turns batches into lines like `turn1 boot 1: traffic turn/user/alice/allocation/000000000000000001 10 2000 10 2000`. */
export function lineReader(streams: readonly Stream[], lines: string[]): (batch: Batch) => void {
  let from = ''
  return (batch) => {
    for (let i = 0; i < batch.length; i++) {
      const kind = batch.kind[i]!
      const [a = 0, b = 0] = batch.n.subarray(i * 4)
      if (kind === Kind.from) from = `${streams.find(({ id }) => id === a)!.name} boot ${b}`
      else if (kind !== Kind.tick) lines.push(`${from}: ${lineOf(batch, i)}`)
    }
  }
}

function lineOf(batch: Batch, i: number): string {
  const kind = batch.kind[i]!
  const [a = 0, b = 0, c = 0, d = 0] = batch.n.subarray(i * 4)
  if (kind === Kind.gap) return `gap ${gapReasons[c]} ${b - a} ms`
  if (kind === Kind.deaf) return 'deaf'
  if (kind === Kind.restarted) return `boot ${a} is over`
  const path = Buffer.from(batch.bytes.subarray(batch.pathStart[i]!, batch.pathEnd[i]!)).toString()
  const name = kinds.find(([, number]) => number === kind)![0]
  if (kind === Kind.deleted || kind === Kind.malformed) return `${name} ${path}`
  return `${name} ${path} ${kind >= Kind.traffic && kind < Kind.malformed ? [a, b, c, d].join(' ') : a}`
}

export interface Endpoint {
  readonly port: number
  /** What it has handed on so far. */
  readonly lines: string[]
  readonly notices: RespNotice[]
  /** The meter's time; moves only when a test moves it. */
  readonly clock: { now: number }
  readonly streams: readonly Stream[]
  readonly source: RespSource
  connect(): Promise<Client>
  /** A client that has said the token. */
  join(token?: string): Promise<Client>
  stop(): Promise<void>
}

export const start = Date.UTC(2026, 0, 1)

/** `known`: as the last run has left the stream of the first server. */
export async function openEndpoint(
  t: TestContext,
  servers: readonly Partial<RespServer>[] = [{}],
  known: Partial<Stream> = {},
  more: Partial<RespOptions> = {},
): Promise<Endpoint> {
  const lines: string[] = []
  const notices: RespNotice[] = []
  const clock = { now: start }
  const named = servers.map((server, i) => ({ name: `turn${i + 1}`, token: `tok${i + 1}`, version: null, ...server }))
  const source = respSource({
    host: '127.0.0.1',
    port: 0,
    servers: named,
    now: () => clock.now,
    on: (notice) => notices.push(notice),
    ...more,
  })
  const streams = named.map(({ name }, i) => ({ ...createStream(i + 1, name, true), ...(i === 0 ? known : {}) }))
  await source.start(streams, lineReader(streams, lines))
  const { port } = notices.find((notice) => notice.kind === 'listening')!
  const clients: Client[] = []
  const endpoint: Endpoint = {
    port,
    lines,
    notices,
    clock,
    streams,
    source,
    async connect() {
      const client = await Client.to(port)
      clients.push(client)
      return client
    },
    async join(token = 'tok1') {
      const client = await endpoint.connect()
      client.send(request('AUTH', token))
      await client.hears('+OK\r\n')
      return client
    },
    stop: () => source.stop(),
  }
  t.after(async () => {
    for (const client of clients) client.socket.destroy()
    await source.stop()
    // The sockets tell of their end a turn later; the next test may have put other timers in place by then.
    await turn()
  })
  return endpoint
}

/** A request as hiredis writes it. */
export function request(...words: readonly (string | Uint8Array)[]): Buffer {
  const parts = words.map((word) => {
    const bytes = Buffer.from(word as string)
    return Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')])
  })
  return Buffer.concat([Buffer.from(`*${words.length}\r\n`), ...parts])
}

export class Client {
  readonly socket: Socket
  /** What came and was not asked for by `hears` yet. */
  heard = ''
  closed = false

  private constructor(socket: Socket) {
    this.socket = socket
    socket.setNoDelay()
    socket.setEncoding('latin1').on('data', (text: string) => {
      this.heard += text
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.closed = true
    })
  }

  /** `from`: the address that it comes from. */
  static async to(port: number, host = '127.0.0.1', from?: string): Promise<Client> {
    const socket = connect({ port, host, ...(from === undefined ? {} : { localAddress: from }) })
    const client = new Client(socket)
    await once(socket, 'connect')
    return client
  }

  send(...parts: readonly (string | Uint8Array)[]): void {
    for (const part of parts) this.socket.write(part)
  }

  /** Waits for exactly this reply. */
  async hears(reply: string): Promise<void> {
    await until(() => this.heard.length >= reply.length || this.closed, `the reply ${JSON.stringify(reply)}`)
    assert.equal(this.heard.slice(0, reply.length), reply)
    this.heard = this.heard.slice(reply.length)
  }

  /** Waits until the endpoint has read all that was sent to it so far. */
  async isIdle(): Promise<void> {
    this.send(request('PING'))
    await this.hears('+PONG\r\n')
  }

  /** Gives the endpoint every occasion to close this connection, which it must not take. */
  async stays(): Promise<void> {
    for (let i = 0; i < 20; i++) await turn()
    assert.equal(this.closed, false)
  }

  /** Waits until the endpoint has closed this connection. */
  async isClosed(): Promise<void> {
    await until(() => this.closed, 'the end of the connection')
  }
}

/** Lets the event loop turn until the condition holds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = process.hrtime.bigint() + 5_000_000_000n
  while (!condition()) {
    assert.ok(process.hrtime.bigint() < deadline, `after 5 s still not: ${what}`)
    await turn()
  }
}

export const path = 'turn/user/alice/allocation/000000000000000001'
export const event = request('PUBLISH', `${path}/status`, 'deleted')

/** A coturn as the endpoint sees it: a connection that asks for `KEYS` and goes, and one for each relay thread. */
export async function coturn(endpoint: Endpoint): Promise<Client[]> {
  const threads = [await endpoint.join(), await endpoint.join()]
  const starter = await endpoint.join()
  starter.send(request('keys', 'turn/*/allocation/*/status'))
  await starter.hears('*0\r\n')
  starter.socket.end()
  return threads
}

export async function tells(client: Client, ...messages: Buffer[]): Promise<void> {
  client.send(...messages)
  await client.hears(':1\r\n'.repeat(messages.length))
}

/** The monotonic clock, which a test can put ahead: to the meter that is a time in which it did not run. */
export function pausable(t: TestContext): { ahead: number } {
  const clock = { ahead: 0 }
  const real = performance.now.bind(performance)
  t.mock.method(performance, 'now', () => real() + clock.ahead)
  return clock
}
