/** One connection to the Redis that coturn's commands are passed on to; each connection of coturn has its own. */
import type { Socket } from 'node:net'
import { command, login, NO_REDIS, openSocket, problemOf, whyRefused } from './redis-socket.ts'
import type { RedisTarget } from './redis-url.ts'
import { ReplyReader } from './upstream-reply.ts'

/** What all upstream connections have in common. */
export interface UpstreamOwner {
  readonly target: RedisTarget
  /** Nobody else says this in a PING: heard by ourselves, the target is this meter. */
  readonly id: string
  passed: number
  dropped: number
  /** Bytes of all connections that were not answered yet. */
  waiting: number
  /** Connections on which status keys of a former coturn are being looked for or deleted. */
  sweeping: number
  /** Whether coturn has set this key since then. */
  isFresh(key: string): boolean
  /** The connection cannot be used; tried again later. */
  failed(why: string): void
  /** A command was refused. */
  refused(error: string): void
  ready(): void
  over(upstream: Upstream): void
}

/** Bytes that were not answered yet, of one connection and of all. */
export const WAITING_MAX = 1_000_000
const WAITING_ALL_MAX = 64_000_000
/** Status keys of a former coturn. */
const KEYS_MAX = 100_000
/** So many bytes of DEL at once. */
const SWEEP_BYTES = 32_768

/** Waits are counted in looks, four a second: a time in which this thread stood still is nobody's silence. */
const REST_MIN = 2
const REST_MAX = 40
const CONNECT_LOOKS = 40
const SILENCE_LOOKS = 240
const LINGER_LOOKS = 40

/** What was written and waits for its replies, in order. */
interface Sent {
  readonly what: 'greeting' | 'events' | 'keys' | 'sweep'
  commands: number
  bytes: number
}

/** Small writes are kept as one up to here. */
const SENT_BYTES = 65_536

export class Upstream {
  readonly #owner: UpstreamOwner
  /** resting: until the next try; over: for good. */
  #phase: 'idle' | 'trying' | 'ready' | 'resting' | 'over' = 'idle'
  #socket: Socket | undefined
  #sent: Sent[] = []
  #waiting = 0
  #greeting: string[] = []
  /** The database that coturn has selected. */
  #selected: string | undefined
  /** Keys to be deleted. */
  #stale: string[] = []
  #isSweeping = false
  #looks = 0
  #rest = REST_MIN
  #isLast = false

  constructor(owner: UpstreamOwner) {
    this.#owner = owner
  }

  /** Undefined: not known yet. */
  get isConnected(): boolean | undefined {
    const isFirstTry = this.#phase === 'trying' && this.#rest === REST_MIN
    return this.#phase === 'idle' || isFirstTry ? undefined : this.#phase === 'ready'
  }

  /** Passes on whole commands, or drops them; never waits. Of `keys`, one KEYS, all that is found is deleted. */
  pass(bytes: Uint8Array, commands: number, what: 'events' | 'keys' = 'events'): void {
    if (this.#phase === 'idle') this.#open()
    const takes = this.#phase === 'trying' || this.#phase === 'ready'
    const room = Math.min(WAITING_MAX - this.#waiting, WAITING_ALL_MAX - this.#owner.waiting)
    if (!takes || bytes.length > room) {
      this.#owner.dropped += commands
      return
    }
    if (what === 'keys' && !this.#isSweeping) {
      this.#isSweeping = true
      this.#owner.sweeping++
    }
    this.#write(bytes, commands, what)
  }

  /** As coturn selects it, after a reconnect as well. */
  select(database: string): void {
    this.#selected = /^\d{1,5}$/.test(database) ? database : this.#selected
  }

  /** coturn has closed its connection: what waits is still passed on. */
  finish(): void {
    this.#isLast = true
    this.#looks = 0
    if (this.#phase === 'idle' || this.#phase === 'resting') this.#end()
    else this.#endWhenDone()
  }

  /** Ends it now. */
  end(): void {
    this.#drop()
    this.#end()
  }

  /** To be called four times a second. */
  look(): void {
    this.#looks++
    if (this.#phase === 'resting') {
      if (this.#looks >= this.#rest) this.#retry()
    } else if (this.#phase === 'trying' && this.#looks >= CONNECT_LOOKS) this.#fail('no answer for 10 s')
    else if (this.#isLast && this.#looks >= LINGER_LOOKS) this.end()
    else if (this.#sent.length > 0 && this.#looks >= SILENCE_LOOKS) this.#fail('no answer for 60 s')
  }

  #retry(): void {
    this.#rest = Math.min(this.#rest * 2, REST_MAX)
    this.#open()
  }

  #open(): void {
    const { target } = this.#owner
    const socket = openSocket(target)
    const reader = new ReplyReader({
      reply: (error) => this.#answered(socket, error),
      wantsWords: () => this.#sent[0]?.what === 'keys',
      word: (bytes) => this.#found(bytes),
    })
    let problem = 'the connection was closed'
    this.#socket = socket
    this.#phase = 'trying'
    this.#looks = 0
    socket.on('data', (chunk) => {
      this.#looks = 0
      if (!reader.read(chunk) && socket === this.#socket) this.#fail(NO_REDIS)
      if (socket === this.#socket) this.#sweep()
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      problem = problemOf(error, target)
    })
    socket.on('close', () => {
      if (socket === this.#socket) this.#closed(problem)
    })
    this.#greet()
  }

  /** Says who we are and where to; the PING tells whether all is well. */
  #greet(): void {
    const { target } = this.#owner
    const select = target.database === null ? this.#selected : String(target.database)
    const greeting = login(target)
    if (select !== undefined) greeting.push(['SELECT', select])
    greeting.push(['PING', this.#owner.id])
    this.#greeting = greeting.map(([command]) => command!)
    this.#write(Buffer.concat(greeting.map((words) => command(words))), greeting.length, 'greeting')
  }

  #write(bytes: Uint8Array, commands: number, what: Sent['what']): void {
    this.#socket?.write(bytes)
    this.#waiting += bytes.length
    this.#owner.waiting += bytes.length
    // Whoever was not asked has not been silent.
    if (this.#sent.length === 0) this.#looks = 0
    const last = this.#sent.at(-1)
    if (last?.what === what && what === 'events' && last.bytes < SENT_BYTES) {
      last.commands += commands
      last.bytes += bytes.length
    } else this.#sent.push({ what, commands, bytes: bytes.length })
  }

  #answered(socket: Socket, error: string | undefined): void {
    if (socket !== this.#socket) return
    const sent = this.#sent[0]
    if (sent === undefined) return this.#fail(NO_REDIS)
    if (sent.what === 'greeting') this.#greeted(error)
    else if (error !== undefined) this.#owner.refused(error)
    if (sent.what === 'events' || sent.what === 'keys') {
      if (error === undefined) this.#owner.passed++
      else this.#owner.dropped++
    }
    if (--sent.commands > 0 || socket !== this.#socket) return
    this.#sent.shift()
    this.#waiting -= sent.bytes
    this.#owner.waiting -= sent.bytes
  }

  #greeted(error: string | undefined): void {
    const command = this.#greeting.shift()!
    // Who may not PING may yet PUBLISH.
    const isFine = error === undefined || (command === 'PING' && error.startsWith('NOPERM'))
    if (!isFine) return this.#fail(whyRefused(command, error))
    if (this.#greeting.length > 0) return
    this.#phase = 'ready'
    this.#rest = REST_MIN
    this.#owner.ready()
  }

  #found(key: Buffer): void {
    if (this.#stale.length < KEYS_MAX) this.#stale.push(key.toString('latin1'))
    else this.#owner.refused(`KEYS: more than ${KEYS_MAX} keys are left of a former coturn; the others stay`)
  }

  /** Deletes what KEYS has found, a little at a time: coturn does so when it starts, but does not see these keys. */
  #sweep(): void {
    while (this.#stale.length > 0 && this.#waiting < WAITING_MAX / 2) {
      const requests: Buffer[] = []
      let bytes = 0
      for (let key = this.#stale.pop(); key !== undefined; key = bytes < SWEEP_BYTES ? this.#stale.pop() : undefined) {
        if (this.#owner.isFresh(key)) continue
        const request = command(['DEL', key], 'latin1')
        requests.push(request)
        bytes += request.length
      }
      if (requests.length > 0) this.#write(Buffer.concat(requests), requests.length, 'sweep')
    }
    if (this.#isSweeping && this.#stale.length === 0 && !this.#sent.some(isSweep)) this.#swept()
    this.#endWhenDone()
  }

  #swept(): void {
    if (this.#isSweeping) this.#owner.sweeping--
    this.#isSweeping = false
  }

  #endWhenDone(): void {
    if (this.#isLast && this.#phase === 'ready' && this.#sent.length === 0 && this.#stale.length === 0) this.end()
  }

  #fail(why: string): void {
    this.#rests()
    this.#owner.failed(why)
  }

  #closed(problem: string): void {
    if (this.#phase === 'trying') this.#fail(`cannot connect: ${problem}`)
    else this.#rests()
  }

  #rests(): void {
    this.#drop()
    if (this.#isLast) return this.#end()
    this.#phase = 'resting'
    this.#looks = 0
  }

  /** What was not answered may have been taken or not: it counts as dropped. */
  #drop(): void {
    const socket = this.#socket
    this.#socket = undefined
    socket?.destroy()
    for (const { what, commands } of this.#sent) {
      if (what === 'events' || what === 'keys') this.#owner.dropped += commands
    }
    this.#owner.waiting -= this.#waiting
    this.#waiting = 0
    this.#sent = []
    this.#stale = []
    this.#swept()
  }

  #end(): void {
    if (this.#phase === 'over') return
    this.#phase = 'over'
    this.#owner.over(this)
  }
}

const isSweep = ({ what }: Sent) => what === 'keys' || what === 'sweep'
