/** fettle as coturn's `redis-statsdb` (rules R28 to R30). */
import { createServer, type Server, type Socket } from 'node:net'
import { listenAt } from '../address.ts'
import { appendPublish, type GapReason } from '../core/event.ts'
import type { Stream } from '../core/state.ts'
import type { MeterStatus } from '../serve/status.ts'
import { Doors, type RespServer } from './doors.ts'
import { BATCH_EVENTS, Outlet, type Tap } from './outlet.ts'
import { HEARTBEAT_LENGTH, Pulse } from './pulse.ts'
import type { RedisTarget } from './redis-url.ts'
import { type Refusal, Refusals } from './refusals.ts'
import { RequestReader } from './resp-frame.ts'
import { HELLO, Replies, simpleReplies } from './resp-reply.ts'
import type { ServerLink, ServerNotice, ServerOutlet } from './resp-server.ts'
import type { Sink, Source } from './source.ts'
import { StallWatch, smallestPipe, WATCH_MS } from './stall.ts'
import { type ForwardNotice, type Passage, Tee } from './tee.ts'

export type { RespServer } from './doors.ts'

export interface RespOptions {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  readonly servers: readonly RespServer[]
  /** Milliseconds since the epoch; never runs backwards. */
  readonly now: () => number
  readonly on: (notice: RespNotice) => void
  /** A Redis that gets to hear all of it too. */
  readonly forward?: RedisTarget
  /** Sees each batch first while the source is `tapping`. */
  readonly tap?: Tap
}

export interface RespSource extends Source {
  tapping: boolean
  status(): Pick<MeterStatus, 'servers' | 'forward' | 'refused'>
  /**
   * From now on these may report; `streams` has one for each new name. Connections of a server that is no more among
   * them, or has a new password, are closed, which is a gap.
   */
  setServers(servers: readonly RespServer[], streams: ReadonlyMap<string, Stream>): void
}

/** What the operator may want to know. */
export type RespNotice =
  | { readonly kind: 'listening'; readonly host: string; readonly port: number }
  | ServerNotice
  | Refusal
  | ForwardNotice

/** Connections at once; a coturn of 64 relay threads needs about 140. */
const CONNECTIONS_MAX = 1024
/** Room in a batch for what stands before an event: a gap with its scene, and the scene. */
const SCENE_EVENTS = 8
/** A connection that has not said its password by then is closed. */
const AUTH_MS = 10_000
const AUTH_TRIES = 3
/** Replies that the other side does not take; coturn 4.17.1 stops reading them after a reconnect. */
const REPLIES_MAX = 256 * 1024

interface Connection {
  readonly socket: Socket
  readonly peer: string
  server: ServerLink | undefined
  passage: Passage | undefined
  rest: Buffer | undefined
  tries: number
  readonly pulse: Pulse
  /** Bytes read since the last stall. */
  drained: number
  ended: boolean
  readonly authTimer: NodeJS.Timeout
}

export const respSource = (options: RespOptions): RespSource => new RespEndpoint(options)

/** coturn says its password once and then waits. */
const tooLate = ({ tries }: Connection) => (tries > 0 ? 'wrong password' : 'no password within 10 s')

class RespEndpoint implements RespSource {
  readonly claims
  readonly #options: RespOptions
  readonly #server: Server
  readonly #connections = new Set<Connection>()
  readonly #reader = new RequestReader()
  readonly #out: ServerOutlet
  readonly #pipeMin = smallestPipe()
  /** Whose events the batch holds now. */
  #scene: Connection | undefined
  readonly #doors: Doors
  readonly #tee: Tee | undefined
  #watch: NodeJS.Timeout | undefined
  readonly #stall: StallWatch
  readonly #refusals: Refusals

  constructor(options: RespOptions) {
    this.#options = options
    this.#out = new Outlet<ServerNotice>(options.now, options.on)
    this.#doors = new Doors(this.#out)
    this.#tee = options.forward && new Tee(options.forward, options.on)
    this.#stall = new StallWatch(options.now)
    this.#refusals = new Refusals(options.now, options.on)
    this.claims = options.servers.map(({ name, version }) => ({ source: 'resp', name, bootAware: true, version }))
    this.#server = createServer({ keepAlive: true, keepAliveInitialDelay: 30_000, noDelay: true })
    this.#server.on('connection', (socket) => this.#accept(socket))
  }

  async start(streams: readonly Stream[], sink: Sink): Promise<void> {
    this.#out.sink = sink
    const { host, port } = this.#options
    const bound = await listenAt(this.#server, { host, port }, '--resp')
    this.#doors.set(this.#options.servers, new Map(streams.map((stream) => [stream.name, stream])))
    this.#watch = setInterval(() => this.#look(), WATCH_MS)
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
    for (const server of this.#doors.servers) server.tellLost()
    await this.#tee?.stop()
  }

  get tapping(): boolean {
    return this.#out.tap !== undefined
  }

  set tapping(on: boolean) {
    this.#out.tap = on ? this.#options.tap : undefined
  }

  status(): Pick<MeterStatus, 'servers' | 'forward' | 'refused'> {
    const servers = this.#doors.servers.map((server) => server.status())
    return { servers, forward: this.#tee?.status() ?? null, refused: this.#refusals.status }
  }

  setServers(servers: readonly RespServer[], streams: ReadonlyMap<string, Stream>): void {
    const changed = this.#doors.set(servers, streams)
    for (const connection of this.#connections) {
      const { server, pulse } = connection
      if (server !== undefined && changed.includes(server)) this.#shut(connection, pulse.at, 'connection')
    }
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
      this.#refusals.note('too many connections', `${socket.remoteAddress}`)
      socket.destroy()
      return
    }
    const connection: Connection = {
      socket,
      peer: `${socket.remoteAddress}`,
      server: undefined,
      passage: undefined,
      rest: undefined,
      tries: 0,
      pulse: new Pulse(this.#options.now()),
      drained: 0,
      ended: false,
      authTimer: setTimeout(() => this.#refuse(connection, tooLate(connection)), AUTH_MS),
    }
    this.#connections.add(connection)
    const { open } = this.#doors
    if (open) this.#join(connection, open)
    socket.on('data', (chunk) => this.#read(connection, chunk))
    socket.on('end', () => {
      connection.ended = true
    })
    socket.on('error', () => {})
    socket.on('close', () => this.#closed(connection))
  }

  #refuse(connection: Connection, why: string): void {
    this.#refusals.note(why, connection.peer)
    // Not by a stranger: what was under way is lost.
    connection.server?.lose(connection.pulse.at, 'connection')
    connection.ended = true
    this.#connections.delete(connection)
    connection.socket.destroy()
  }

  #join(connection: Connection, server: ServerLink): void {
    clearTimeout(connection.authTimer)
    if (connection.server !== server) this.#leave(connection)
    connection.server = server
    this.#scene = undefined
    server.joined(connection)
    if (connection.passage !== undefined || this.#tee === undefined) return
    connection.passage = this.#tee.passage()
    // Not what stood before the password.
    connection.passage.open(this.#out.batch.bytes, this.#reader.at)
  }

  /** The connection does not speak for its server any more. */
  #leave(connection: Connection): void {
    const { server } = connection
    if (server === undefined) return
    this.#out.flush()
    server.left(connection)
  }

  #closed(connection: Connection): void {
    clearTimeout(connection.authTimer)
    this.#connections.delete(connection)
    connection.passage?.finish()
    const { server } = connection
    if (server === undefined) return
    // After a clean end all that was sent has come. After anything else what was under way is lost.
    if (!connection.ended) server.lose(connection.pulse.at, 'connection')
    this.#leave(connection)
  }

  /** Everything that came is read to the end at once; what is not a whole request yet waits for the next chunk. */
  #read(connection: Connection, chunk: Buffer): void {
    if (connection.ended) return
    this.#noteStall()
    connection.drained += chunk.length
    connection.pulse.read(this.#options.now())
    const bytes = connection.rest === undefined ? chunk : Buffer.concat([connection.rest, chunk])
    const reader = this.#reader
    const replies = new Replies()
    reader.open(bytes)
    connection.passage?.open(bytes)
    this.#out.batch.bytes = bytes
    this.#scene = undefined
    const found = this.#requests(connection, replies)
    this.#out.flush()
    connection.rest = reader.at < bytes.length ? Buffer.from(bytes.subarray(reader.at)) : undefined
    if (found === 'broken') replies.add(`-ERR Protocol error: ${reader.problem}\r\n`)
    this.#reply(connection, replies.text())
    if (found === 'broken') this.#refuse(connection, `not the Redis protocol: ${reader.problem}`)
  }

  #requests(connection: Connection, replies: Replies): 'partial' | 'broken' | 'closed' {
    const reader = this.#reader
    for (;;) {
      const from = reader.at
      const found = reader.next()
      if (found === 'request' && reader.isPublish() && connection.server !== undefined) {
        this.#publish(connection, connection.server)
        replies.one()
      } else {
        const before = replies.count
        const goesOn = found === 'request' && this.#answer(connection, replies)
        if (!goesOn) {
          connection.passage?.close(from, before)
          return found === 'request' ? 'closed' : found
        }
        connection.passage?.other(reader, from, before, replies.count)
      }
    }
  }

  #publish(connection: Connection, server: ServerLink): void {
    const { start, end } = this.#reader
    const { batch } = this.#out
    if (this.#scene !== connection) {
      server.speaks(connection, connection.pulse.at)
      this.#scene = connection
    }
    if (end[1]! - start[1]! === HEARTBEAT_LENGTH) connection.pulse.beats = true
    appendPublish(batch, start[1]!, end[1]!, start[2]!, end[2]!)
    if (batch.length >= BATCH_EVENTS - SCENE_EVENTS) this.#out.flush()
  }

  #reply(connection: Connection, text: string): void {
    const { socket } = connection
    if (text === '' || socket.destroyed) return
    socket.write(text, 'latin1')
    if (socket.writableLength > REPLIES_MAX) this.#shut(connection, connection.pulse.at, 'stall')
  }

  /** Closes on purpose; coturn opens a new connection with its next event. */
  #shut(connection: Connection, began: number, why: GapReason): void {
    if (connection.ended) return
    connection.ended = true
    connection.socket.destroy()
    connection.server?.lose(began, why)
  }

  /** Answers anything but an event. Returns false when the connection was closed. */
  #answer(connection: Connection, replies: Replies): boolean {
    const reader = this.#reader
    if (reader.count === 0) return true
    const command = reader.text(0).toUpperCase()
    if (command === 'AUTH') return this.#auth(connection, replies)
    if (command === 'HELLO') return this.#hello(connection, replies)
    if (command === 'QUIT') return this.#end(connection, replies, '+OK')
    if (connection.server === undefined) {
      replies.add('-NOAUTH Authentication required.\r\n')
      return true
    }
    if (command === 'PING' && reader.count === 2 && reader.text(1) === this.#tee?.id) {
      return this.#end(connection, replies, '-ERR this is the meter itself; nothing can be passed on to it')
    }
    if (command === 'KEYS') this.#keys(connection.server)
    replies.add(simpleReplies.get(command) ?? "-ERR unknown command: this is fettle, coturn's statistics endpoint\r\n")
    return true
  }

  /** Says a last word; what stands behind it is not taken. */
  #end(connection: Connection, replies: Replies, word: string): false {
    replies.add(`${word}\r\n`)
    this.#reply(connection, replies.text())
    connection.ended = true
    connection.socket.end()
    return false
  }

  #auth(connection: Connection, replies: Replies): boolean {
    const verdict = this.#admit(connection, replies, this.#reader.count === 3 ? 2 : 1)
    if (verdict === 'in') replies.add('+OK\r\n')
    return verdict !== 'closed'
  }

  /** `HELLO [2 [AUTH user password]]`: RESP2 is all that a statistics client needs. */
  #hello(connection: Connection, replies: Replies): boolean {
    const reader = this.#reader
    if (reader.count > 1 && reader.text(1) !== '2') {
      replies.add('-NOPROTO unsupported protocol version\r\n')
      return true
    }
    const verdict = reader.count === 5 ? this.#admit(connection, replies, 4) : 'in'
    if (verdict === 'in') replies.add(connection.server === undefined ? '-NOAUTH Authentication required.\r\n' : HELLO)
    return verdict !== 'closed'
  }

  #keys(server: ServerLink): void {
    this.#out.flush()
    server.keys()
    this.#scene = undefined
  }

  /** The password is the argument with this number. Whoever is wrong is told so, and closed after some tries. */
  #admit(connection: Connection, replies: Replies, argument: number): 'in' | 'wrong' | 'closed' {
    const { count, start, end } = this.#reader
    const password = this.#out.batch.bytes.subarray(start[argument]!, end[argument]!)
    const server = this.#doors.find(password)
    if (server !== undefined && count > argument) {
      this.#join(connection, server)
      return 'in'
    }
    replies.add('-WRONGPASS invalid username-password pair or user is disabled.\r\n')
    if (++connection.tries < AUTH_TRIES) return 'wrong'
    this.#reply(connection, replies.text())
    this.#refuse(connection, 'wrong password')
    return 'closed'
  }

  #noteStall(): void {
    if (this.#stall.runs()) for (const connection of this.#connections) connection.drained = 0
  }

  #noteSilence(): void {
    for (const connection of this.#connections) {
      if (connection.server === undefined) continue
      const began = connection.pulse.lostSince(connection.rest !== undefined)
      if (!Number.isNaN(began)) this.#shut(connection, began, 'stall')
    }
  }

  #reopenFull(began: number): void {
    for (const one of this.#connections) {
      if (one.server !== undefined && one.drained >= this.#pipeMin) this.#shut(one, began, 'stall')
    }
  }

  /** One look after a stall, what waited in the pipes has been read: if that was much, a pipe may have been full. */
  #look(): void {
    for (const server of this.#doors.servers) server.look()
    this.#refusals.look()
    this.#tee?.look()
    this.#noteStall()
    const began = this.#stall.take()
    if (!Number.isNaN(began)) this.#reopenFull(began)
    // While what waited is being read, a half request may be as old as the stall and yet be whole in a moment.
    if (!this.#stall.pending) this.#noteSilence()
  }
}
