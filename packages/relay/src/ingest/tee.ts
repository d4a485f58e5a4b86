/**
 * Passes on what coturn says to the Redis where it went before, so that those who subscribe there lose nothing. Each
 * connection of coturn has one of its own there. Neither coturn nor the meter ever waits for it: what it does not take
 * is dropped, whole commands only, and counted.
 */
import { randomUUID } from 'node:crypto'
import type { ForwardStatus } from '../serve/status.ts'
import { fitForLog, wordOf } from './redis-socket.ts'
import type { RedisTarget } from './redis-url.ts'
import type { RequestReader } from './resp-frame.ts'
import { Upstream, type UpstreamOwner } from './upstream.ts'

export type ForwardNotice =
  /** Passing on does not work, or not wholly; each reason is told once. Holds no secret. */
  | { readonly kind: 'forward'; readonly why: string }
  /** It works again; so many commands were dropped since the start. */
  | { readonly kind: 'forward again'; readonly dropped: number }

/** coturn's own connections are at most half as many; the others end soon. */
const UPSTREAMS_MAX = 2048
/** Keys that are set while others are deleted. */
const FRESH_MAX = 100_000
const REASONS_MAX = 100
const STOP_MS = 1000
/** What coturn asks for when it starts. */
const SWEEP_PATTERN = 'turn/*/allocation/*/status'
/** What else than events is passed on. The others are between coturn and us, or are refused. */
const passedOn = new Set(['SET', 'DEL', 'KEYS', 'SELECT', 'PING'])

export class Tee implements UpstreamOwner {
  readonly target: RedisTarget
  readonly id = randomUUID()
  passed = 0
  dropped = 0
  waiting = 0
  readonly #on: (notice: ForwardNotice) => void
  readonly #upstreams = new Set<Upstream>()
  readonly #fresh = new Set<string>()
  #sweeping = 0
  #isConnected = false
  /** Reasons that were told: why it cannot be used, until it can; and what it has refused. */
  readonly #failures = new Set<string>()
  readonly #refusals = new Set<string>()

  constructor(target: RedisTarget, on: (notice: ForwardNotice) => void) {
    this.target = target
    this.#on = on
  }

  /** For a new connection of coturn. */
  passage(): Passage {
    const upstream = new Upstream(this)
    if (this.#upstreams.size >= UPSTREAMS_MAX) upstream.end()
    else this.#upstreams.add(upstream)
    return new Passage(this, upstream)
  }

  /** `connected`: every connection that is needed can be used; as it was last, when none is. */
  status(): ForwardStatus {
    return { connected: this.#isConnected, passed: this.passed, dropped: this.dropped }
  }

  /** To be called four times a second. */
  look(): void {
    for (const upstream of this.#upstreams) upstream.look()
    this.#noteState()
  }

  /** What was passed on and not answered yet has a second for it. */
  async stop(): Promise<void> {
    for (const upstream of this.#upstreams) upstream.finish()
    const deadline = performance.now() + STOP_MS
    while (this.#upstreams.size > 0 && performance.now() < deadline) await new Promise((done) => setTimeout(done, 10))
    for (const upstream of this.#upstreams) upstream.end()
  }

  get sweeping(): number {
    return this.#sweeping
  }

  set sweeping(count: number) {
    this.#sweeping = count
    if (count === 0) this.#fresh.clear()
  }

  /** coturn sets this key: it is none of those that a former coturn has left. */
  sets(key: string): void {
    if (this.#fresh.size < FRESH_MAX) this.#fresh.add(key)
  }

  isFresh(key: string): boolean {
    return this.#fresh.has(key)
  }

  failed(why: string): void {
    this.#noteState()
    this.#tell(this.#failures, why, why)
  }

  /** Once for each kind of refusal: what it says may differ with every command. */
  refused(error: string): void {
    this.#tell(this.#refusals, wordOf(error), error)
  }

  ready(): void {
    this.#noteState()
  }

  over(upstream: Upstream): void {
    this.#upstreams.delete(upstream)
  }

  #noteState(): void {
    const states = Array.from(this.#upstreams, ({ isConnected }) => isConnected).filter((is) => is !== undefined)
    if (states.length === 0) return
    this.#isConnected = states.every((is) => is)
    if (!this.#isConnected || this.#failures.size === 0) return
    this.#failures.clear()
    this.#on({ kind: 'forward again', dropped: this.dropped })
  }

  #tell(told: Set<string>, what: string, why: string): void {
    if (told.has(what) || told.size >= REASONS_MAX) return
    told.add(what)
    this.#on({ kind: 'forward', why: fitForLog(why) })
  }
}

/** The way of one connection of coturn through the tee: cuts what is passed on out of the chunks as they are read. */
export class Passage {
  readonly #tee: Tee
  readonly #upstream: Upstream
  #bytes: Uint8Array | undefined
  /** Where in the chunk that begins which was not passed on yet, and how many replies were due before it. */
  #from = 0
  #replies = 0

  constructor(tee: Tee, upstream: Upstream) {
    this.#tee = tee
    this.#upstream = upstream
  }

  /** A chunk is read, and passed on from here. */
  open(bytes: Uint8Array, from = 0): void {
    this.#bytes = bytes
    this.#from = from
    this.#replies = 0
  }

  /**
   * The present request, which begins at `from`, is no event. Of the replies to the chunk `before` stand before its
   * own, and `after` up to it.
   */
  other(reader: RequestReader, from: number, before: number, after: number): void {
    const command = reader.count === 0 ? '' : reader.text(0).toUpperCase()
    const { target, sweeping } = this.#tee
    const isPassed = passedOn.has(command) && !(command === 'SELECT' && target.database !== null)
    if (isPassed && command === 'SET' && sweeping > 0) this.#tee.sets(reader.text(1))
    const isSweep = command === 'KEYS' && reader.count === 2 && reader.text(1) === SWEEP_PATTERN
    if (isPassed && command !== 'SELECT' && !isSweep) return
    this.close(from, before)
    if (isPassed) this.#alone(isSweep, reader, from)
    this.#from = reader.at
    this.#replies = after
  }

  /** Passes on what is left of the chunk up to here. */
  close(to: number, replies: number): void {
    const bytes = this.#bytes
    if (bytes === undefined) return
    if (to > this.#from && replies > this.#replies) {
      this.#upstream.pass(bytes.subarray(this.#from, to), replies - this.#replies)
    }
    this.#from = to
    this.#replies = replies
  }

  /** coturn's connection is closed. */
  finish(): void {
    this.#upstream.finish()
  }

  /** KEYS, whose reply matters, or SELECT, which holds for all that follows. */
  #alone(isSweep: boolean, reader: RequestReader, from: number): void {
    this.#upstream.pass(this.#bytes!.subarray(from, reader.at), 1, isSweep ? 'keys' : 'events')
    if (!isSweep && reader.count === 2) this.#upstream.select(reader.text(1))
  }
}
