/** fettle as coturn's `redis-statsdb` (rules R28 to R30). */
import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type Server, type Socket } from 'node:net'
import { appendPublish, appendScene, type Batch, createBatch, type GapReason, gapReasons, Kind } from '../core/event.ts'
import type { Stream } from '../core/state.ts'
import { Boots } from './boots.ts'
import { RequestReader } from './resp-frame.ts'
import { HELLO, Replies, simpleReplies } from './resp-reply.ts'
import type { Sink, Source } from './source.ts'
import { StallWatch, smallestPipe, WATCH_MS } from './stall.ts'

/** A coturn that may report: its name, and the password in its line. */
export interface RespServer {
  readonly name: string
  readonly token: string
  /** coturn's version, if the operator said. */
  readonly version: string | null
}

export interface RespOptions {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  readonly servers: readonly RespServer[]
  /** Milliseconds since the epoch; never runs backwards. */
  readonly now: () => number
  readonly on: (notice: RespNotice) => void
}

/** What the operator may want to know. Peer addresses are for debugging only. */
export type RespNotice =
  | { readonly kind: 'listening'; readonly host: string; readonly port: number }
  | { readonly kind: 'connected' | 'disconnected' | 'restarted'; readonly server: string }
  | { readonly kind: 'refused'; readonly why: string; readonly peer: string }
  | { readonly kind: 'gap'; readonly server: string; readonly why: GapReason; readonly ms: number }

/** Connections at once; a coturn of 64 relay threads needs about 140. */
const CONNECTIONS_MAX = 1024
/** A connection that has not said its password by then is closed. */
const AUTH_MS = 10_000
const AUTH_TRIES = 3
const ABSENT_MS = 2000
/** Replies that the other side does not take; coturn 4.17.1 stops reading them after a reconnect. */
const REPLIES_MAX = 256 * 1024
const BATCH_EVENTS = 4096
/** A request of which no more has come for so long will never be whole. */
const HALF_MS = 3000

interface Connection {
  readonly socket: Socket
  server: ServerState | undefined
  rest: Buffer | undefined
  tries: number
  /** Time of the last read, for people; and by the monotonic clock. */
  lastRead: number
  readAt: number
  /** Bytes read since the last stall. */
  drained: number
  ended: boolean
  readonly authTimer: NodeJS.Timeout
}

interface ServerState {
  readonly name: string
  readonly digest: Buffer
  readonly open: boolean
  readonly stream: Stream
  readonly boots: Boots
  readonly connections: Set<Connection>
  /** It was told to be connected. */
  present: boolean
  /** When its last connection closed. */
  leftAt: number
}

export const respSource = (options: RespOptions): Source => new RespEndpoint(options)

const sha256 = (text: string | Uint8Array) => createHash('sha256').update(text).digest()

class RespEndpoint implements Source {
  readonly claims
  readonly #options: RespOptions
  readonly #server: Server
  readonly #connections = new Set<Connection>()
  readonly #reader = new RequestReader()
  readonly #batch: Batch = createBatch(BATCH_EVENTS, new Uint8Array(0))
  readonly #pipeMin = smallestPipe()
  /** Whose events the batch holds now. */
  #scene: Connection | undefined
  #servers: ServerState[] = []
  #sink: Sink = () => {}
  #watch: NodeJS.Timeout | undefined
  readonly #stall: StallWatch

  constructor(options: RespOptions) {
    this.#options = options
    this.#stall = new StallWatch(options.now)
    this.claims = options.servers.map(({ name, version }) => ({ source: 'resp', name, bootAware: true, version }))
    this.#server = createServer({ keepAlive: true, keepAliveInitialDelay: 30_000, noDelay: true })
    this.#server.on('connection', (socket) => this.#accept(socket))
  }

  async start(streams: readonly Stream[], sink: Sink): Promise<void> {
    this.#sink = sink
    this.#servers = this.#options.servers.map(({ name, token }, i) => ({
      name,
      digest: sha256(token),
      open: token === '',
      stream: streams[i]!,
      boots: new Boots(streams[i]!.boot),
      connections: new Set(),
      present: false,
      leftAt: 0,
    }))
    const { host, port } = this.#options
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', reject)
        resolve()
      })
    })
    // What was missed while no meter ran.
    for (const server of this.#servers) {
      if (server.stream.heardAt >= 0) this.#gap(server, server.stream.heardAt, 'restart')
    }
    this.#watch = setInterval(() => this.#look(), WATCH_MS)
    const address = this.#server.address()
    const bound = typeof address === 'object' && address !== null ? address.port : port
    this.#options.on({ kind: 'listening', host, port: bound })
  }

  async stop(): Promise<void> {
    clearInterval(this.#watch)
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const connection of this.#connections) {
      connection.ended = true
      connection.socket.destroy()
    }
    await closed
  }

  /** Whoever has not said its password yet makes room for the next: strangers must not keep a coturn out. */
  #makeRoom(): void {
    if (this.#connections.size < CONNECTIONS_MAX) return
    for (const connection of this.#connections) {
      if (connection.server === undefined) return this.#refuse(connection, 'too many connections')
    }
  }

  #accept(socket: Socket): void {
    this.#makeRoom()
    if (this.#connections.size >= CONNECTIONS_MAX) {
      socket.destroy()
      return
    }
    const connection: Connection = {
      socket,
      server: undefined,
      rest: undefined,
      tries: 0,
      lastRead: this.#options.now(),
      readAt: performance.now(),
      drained: 0,
      ended: false,
      authTimer: setTimeout(() => this.#refuse(connection, 'no password within 10 s'), AUTH_MS),
    }
    this.#connections.add(connection)
    const open = this.#servers.find((server) => server.open)
    if (open) this.#join(connection, open)
    socket.on('data', (chunk) => this.#read(connection, chunk))
    socket.on('end', () => {
      connection.ended = true
    })
    socket.on('error', () => {})
    socket.on('close', () => this.#closed(connection))
  }

  #refuse(connection: Connection, why: string): void {
    this.#options.on({ kind: 'refused', why, peer: `${connection.socket.remoteAddress}` })
    connection.ended = true
    this.#connections.delete(connection)
    connection.socket.destroy()
  }

  #join(connection: Connection, server: ServerState): void {
    clearTimeout(connection.authTimer)
    if (connection.server !== server) this.#leave(connection)
    connection.server = server
    server.connections.add(connection)
    this.#scene = undefined
    if (!server.present) this.#options.on({ kind: 'connected', server: server.name })
    server.present = true
  }

  /** The connection does not speak for its server any more. */
  #leave(connection: Connection): void {
    const { server } = connection
    if (server === undefined) return
    this.#flush()
    server.connections.delete(connection)
    server.boots.closed(connection)
    this.#endBoots(server)
    if (server.connections.size === 0) server.leftAt = performance.now()
  }

  #closed(connection: Connection): void {
    clearTimeout(connection.authTimer)
    this.#connections.delete(connection)
    const { server } = connection
    if (server === undefined) return
    // After a clean end all that was sent has come. After anything else what was under way is lost.
    if (!connection.ended) this.#gap(server, connection.lastRead, 'connection')
    this.#leave(connection)
  }

  #endBoots(server: ServerState): void {
    for (const boot of server.boots.over()) {
      appendScene(this.#batch, Kind.tick, this.#options.now())
      appendScene(this.#batch, Kind.from, server.stream.id, server.boots.current)
      appendScene(this.#batch, Kind.restarted, boot)
      this.#flush()
      this.#options.on({ kind: 'restarted', server: server.name })
    }
  }

  #gap(server: ServerState, began: number, why: GapReason): void {
    const now = this.#options.now()
    appendScene(this.#batch, Kind.tick, now)
    appendScene(this.#batch, Kind.from, server.stream.id, server.boots.current)
    appendScene(this.#batch, Kind.gap, began, now, gapReasons.indexOf(why))
    this.#flush()
    this.#options.on({ kind: 'gap', server: server.name, why, ms: now - began })
  }

  #flush(): void {
    if (this.#batch.length > 0) this.#sink(this.#batch)
    this.#batch.length = 0
  }

  /** Everything that came is read to the end at once; what is not a whole request yet waits for the next chunk. */
  #read(connection: Connection, chunk: Buffer): void {
    if (connection.ended) return
    this.#noteStall()
    connection.drained += chunk.length
    connection.lastRead = this.#options.now()
    connection.readAt = performance.now()
    const bytes = connection.rest === undefined ? chunk : Buffer.concat([connection.rest, chunk])
    const reader = this.#reader
    const replies = new Replies()
    reader.open(bytes)
    this.#batch.bytes = bytes
    this.#scene = undefined
    const found = this.#requests(connection, bytes, replies)
    this.#flush()
    connection.rest = reader.at < bytes.length ? Buffer.from(bytes.subarray(reader.at)) : undefined
    if (found === 'broken') replies.add(`-ERR Protocol error: ${reader.problem}\r\n`)
    this.#reply(connection, replies.text())
    if (found === 'broken') this.#refuse(connection, `not the Redis protocol: ${reader.problem}`)
  }

  #requests(connection: Connection, bytes: Uint8Array, replies: Replies): 'partial' | 'broken' | 'closed' {
    const reader = this.#reader
    const batch = this.#batch
    for (;;) {
      const found = reader.next()
      if (found !== 'request') return found
      if (reader.isPublish() && connection.server !== undefined) {
        if (this.#scene !== connection) this.#setScene(connection, connection.server)
        appendPublish(batch, reader.start[1]!, reader.end[1]!, reader.start[2]!, reader.end[2]!)
        if (batch.length >= BATCH_EVENTS - 4) this.#flush()
        replies.one()
      } else if (!this.#answer(connection, bytes, replies)) return 'closed'
    }
  }

  #setScene(connection: Connection, server: ServerState): void {
    const boot = server.boots.event(connection)
    this.#scene = connection
    appendScene(this.#batch, Kind.tick, connection.lastRead)
    appendScene(this.#batch, Kind.from, server.stream.id, boot)
  }

  #reply(connection: Connection, text: string): void {
    const { socket } = connection
    if (text === '' || socket.destroyed) return
    socket.write(text, 'latin1')
    if (socket.writableLength > REPLIES_MAX) this.#reopen(connection, connection.lastRead)
  }

  /** Closes on purpose, so that coturn opens a new connection with its next event. */
  #reopen(connection: Connection, began: number): void {
    if (connection.ended) return
    connection.ended = true
    connection.socket.destroy()
    if (connection.server) this.#gap(connection.server, began, 'stall')
  }

  /** Answers anything but an event. Returns false when the connection was closed. */
  #answer(connection: Connection, bytes: Uint8Array, replies: Replies): boolean {
    const reader = this.#reader
    if (reader.count === 0) return true
    const command = Buffer.from(bytes.buffer, bytes.byteOffset + reader.start[0]!, reader.end[0]! - reader.start[0]!)
      .toString('latin1')
      .toUpperCase()
    if (command === 'AUTH') return this.#auth(connection, bytes, replies, reader.count === 3 ? 2 : 1)
    if (command === 'HELLO') return this.#hello(connection, bytes, replies)
    if (command === 'QUIT') {
      replies.add('+OK\r\n')
      this.#reply(connection, replies.text())
      connection.ended = true
      connection.socket.end()
      return false
    }
    if (connection.server === undefined) {
      replies.add('-NOAUTH Authentication required.\r\n')
      return true
    }
    if (command === 'KEYS') this.#keys(connection.server)
    replies.add(simpleReplies.get(command) ?? "-ERR unknown command: this is fettle, coturn's statistics endpoint\r\n")
    return true
  }

  /** `HELLO [2 [AUTH user password]]`: RESP2 is all that a statistics client needs. */
  #hello(connection: Connection, bytes: Uint8Array, replies: Replies): boolean {
    const reader = this.#reader
    if (reader.count > 1 && (bytes[reader.start[1]!] !== 50 || reader.end[1]! - reader.start[1]! !== 1)) {
      replies.add('-NOPROTO unsupported protocol version\r\n')
      return true
    }
    if (reader.count === 5 && !this.#auth(connection, bytes, replies, 4, '')) return false
    replies.add(connection.server === undefined ? '-NOAUTH Authentication required.\r\n' : HELLO)
    return true
  }

  #keys(server: ServerState): void {
    // What this chunk brought before belongs to what was before.
    this.#flush()
    server.boots.keys()
    this.#endBoots(server)
    this.#scene = undefined
  }

  #auth(connection: Connection, bytes: Uint8Array, replies: Replies, argument: number, ok = '+OK\r\n'): boolean {
    const reader = this.#reader
    const given = sha256(bytes.subarray(reader.start[argument]!, reader.end[argument]!))
    // Every token is compared, each in constant time: how long it takes tells nothing.
    let match: ServerState | undefined
    for (const server of this.#servers) if (timingSafeEqual(server.digest, given)) match = server
    if (match !== undefined && reader.count > argument) {
      this.#join(connection, match)
      replies.add(ok)
      return true
    }
    replies.add('-WRONGPASS invalid username-password pair or user is disabled.\r\n')
    if (++connection.tries < AUTH_TRIES) return true
    this.#reply(connection, replies.text())
    this.#refuse(connection, 'wrong password')
    return false
  }

  #noteStall(): void {
    if (this.#stall.runs()) for (const connection of this.#connections) connection.drained = 0
  }

  /** A starting coturn opens and closes connections; it is gone when it has had none for a while. */
  #noteAbsence(server: ServerState): void {
    if (!server.present || server.connections.size > 0 || performance.now() - server.leftAt < ABSENT_MS) return
    server.present = false
    this.#options.on({ kind: 'disconnected', server: server.name })
  }

  /**
   * A coturn that was blocked stops in the middle of a request and never goes on, whatever blocked it: a pause of ours
   * or of the network, or more events at once than its send buffer holds.
   */
  #noteHalves(): void {
    const now = performance.now()
    for (const connection of this.#connections) {
      const { server, rest, readAt, lastRead } = connection
      if (server !== undefined && rest !== undefined && now - readAt > HALF_MS) this.#reopen(connection, lastRead)
    }
  }

  #reopenFull(began: number): void {
    for (const one of this.#connections) {
      if (one.server !== undefined && one.drained >= this.#pipeMin) this.#reopen(one, began)
    }
  }

  /** One look after a stall, what waited in the pipes has been read: if that was much, a pipe may have been full. */
  #look(): void {
    for (const server of this.#servers) this.#noteAbsence(server)
    this.#noteStall()
    const began = this.#stall.take()
    if (!Number.isNaN(began)) this.#reopenFull(began)
    // While what waited is being read, a half request may be as old as the stall and yet be whole in a moment.
    if (!this.#stall.pending) this.#noteHalves()
  }
}
