/**
 * A Redis that coturns publish to, as a source (rules R33 to R35). One connection subscribes; beside it another asks
 * now and then. Redis knows nothing of the past: what is published while nobody subscribes is a gap.
 */
import { appendPresent, type Batch, type GapReason, Kind } from '../core/event.ts'
import type { Stream } from '../core/state.ts'
import type { MeterStatus } from '../serve/status.ts'
import { type GapNotice, Loss, Outlet, type Tap, type Voice } from './outlet.ts'
import { adviseOn, type RedisWarning } from './redis-advice.ts'
import { Inquiry } from './redis-inquiry.ts'
import { fitForLog } from './redis-socket.ts'
import { Subscription } from './redis-subscription.ts'
import { type RedisTarget, redisName } from './redis-url.ts'
import type { Sink, Source } from './source.ts'

export interface RedisOptions {
  readonly target: RedisTarget
  /** Milliseconds since the epoch; never runs backwards. */
  readonly now: () => number
  readonly on: (notice: RedisNotice) => void
  /** Sees each batch first while the source is `tapping`. */
  readonly tap?: Tap
}

export interface RedisSource extends Source {
  tapping: boolean
  status(): Pick<MeterStatus, 'servers' | 'redis'>
}

/** What the operator may want to know. None holds a secret. */
export type RedisNotice =
  | GapNotice
  | { readonly kind: 'redis connected'; readonly redis: string }
  /** Told again only with another reason, or after it was connected. */
  | { readonly kind: 'redis lost'; readonly redis: string; readonly why: string; readonly retrySeconds: number }
  /** So many status keys were there. */
  | { readonly kind: 'redis looked'; readonly redis: string; readonly keys: number }
  /** Something may not be looked at, or could not be. */
  | { readonly kind: 'redis unseen'; readonly redis: string; readonly what: 'settings' | 'keys'; readonly why: string }
  | ({ readonly kind: 'redis warning'; readonly redis: string } & RedisWarning)

const LOOK_MS = 250
/** Waits are counted in looks. */
const REST_MIN = 2
const REST_MAX = 40
const ASK_AGAIN_LOOKS = 240
/** Allocations that say something themselves while the keys are looked at. */
const SPOKEN_MAX = 500_000
const STATUS_LENGTH = '/status'.length

export const redisSource = (options: RedisOptions): RedisSource => new RedisSubscriber(options)

class RedisSubscriber implements RedisSource {
  readonly claims
  readonly target: RedisTarget
  readonly out: Outlet<RedisNotice>
  readonly voice: Voice & { id: number }
  readonly #options: RedisOptions
  readonly #loss: Loss
  #timer: NodeJS.Timeout | undefined
  /** Undefined: the next try is awaited. */
  #subscription: Subscription | undefined
  #inquiry: Inquiry | undefined
  #isStanding = false
  /** Why it is not, when that is known. */
  #why: string | null = null
  #heardUntil = Number.NaN
  #restLooks = 0
  #rest = REST_MIN
  #needsKeys = true
  #askLooks = 0
  #keys = 0
  /** Paths whose status was published while the keys are looked at; what is read of them may be older. */
  #spoken: Set<string> | undefined
  readonly #settings = new Map<string, string>()
  #warnings: readonly RedisWarning[] = []
  /** What could not be looked at, as it was told since it was connected. */
  readonly #unseen = new Set<string>()

  constructor(options: RedisOptions) {
    this.#options = options
    this.target = options.target
    this.out = new Outlet<RedisNotice>(options.now, options.on)
    const name = redisName(options.target)
    this.voice = { name, id: 0, lastEventAt: Number.NaN }
    this.#loss = new Loss(this.voice, this.out)
    this.claims = [{ source: 'redis', name, bootAware: false, version: null }]
  }

  async start([stream]: readonly Stream[], sink: Sink): Promise<void> {
    this.out.sink = sink
    this.voice.id = stream!.id
    // What is missed while no meter runs, and until this one hears.
    if (stream!.heardAt >= 0) this.#deaf(stream!.heardAt, 'restart')
    this.#timer = setInterval(() => this.#look(), LOOK_MS)
    this.#open()
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#subscription?.end()
    this.#inquiry?.stop()
    this.#loss.tell(0)
  }

  #deaf(since: number, why: GapReason): void {
    this.#loss.since(since, why)
    this.out.deaf(this.voice, 0, since)
  }

  get tapping(): boolean {
    return this.out.tap !== undefined
  }

  set tapping(on: boolean) {
    this.out.tap = on ? this.#options.tap : undefined
  }

  status(): Pick<MeterStatus, 'servers' | 'redis'> {
    const { name, lastEventAt } = this.voice
    const connections = this.#isStanding ? 1 : 0
    const server = { kind: 'redis', name, version: null, connections, boot: 0, lastEventAt, shared: false } as const
    return { servers: [server], redis: { why: this.#why, warnings: this.#warnings } }
  }

  stands(): void {
    this.#isStanding = true
    this.#why = null
    this.#heardUntil = this.out.now()
    this.#rest = REST_MIN
    this.#loss.tell(0)
    this.#needsKeys = true
    this.#unseen.clear()
    this.out.on({ kind: 'redis connected', redis: this.voice.name })
    this.#inquire()
  }

  heardUntil(at: number): void {
    this.#heardUntil = at
  }

  heard(): void {
    if (this.#spoken !== undefined) this.#noteSpoken(this.#spoken, this.out.batch)
  }

  over(why: string): void {
    if (this.#isStanding) this.#deaf(this.#heardUntil, 'connection')
    const reason = fitForLog(why)
    const isNews = this.#isStanding || reason !== this.#why
    this.#isStanding = false
    this.#why = reason
    this.#subscription = undefined
    this.#restLooks = 0
    this.#inquiry?.stop()
    this.#endInquiry()
    if (isNews) this.out.on({ kind: 'redis lost', redis: this.voice.name, why: reason, retrySeconds: this.#rest / 4 })
  }

  found(key: string, value: string): void {
    const path = key.slice(0, -STATUS_LENGTH)
    if (this.#spoken?.has(path)) return
    const { out, voice } = this
    const bytes = Buffer.from(key + value, 'latin1')
    out.batch.bytes = bytes
    out.scene(voice, 0, out.now())
    if (appendPresent(out.batch, 0, key.length, bytes.length)) this.#keys++
    out.flush()
  }

  setting(name: string, value: string | undefined): void {
    if (value === undefined) this.#tellUnseen('settings', 'CONFIG GET is refused')
    else this.#settings.set(name, value)
  }

  answered(why: string | undefined): void {
    if (why !== undefined) this.#tellUnseen(this.#needsKeys ? 'keys' : 'settings', why)
    else if (this.#needsKeys) {
      this.#needsKeys = false
      this.out.on({ kind: 'redis looked', redis: this.voice.name, keys: this.#keys })
    }
    this.#endInquiry()
    const known = new Set(this.#warnings.map(({ text }) => text))
    this.#warnings = adviseOn(this.#settings)
    for (const warning of this.#warnings) {
      if (!known.has(warning.text)) this.out.on({ kind: 'redis warning', redis: this.voice.name, ...warning })
    }
  }

  #look(): void {
    this.#subscription?.look()
    this.#inquiry?.look()
    if (this.#isStanding) {
      const isDue = ++this.#askLooks >= ASK_AGAIN_LOOKS && (this.#needsKeys || this.#warnings.length > 0)
      if (isDue && this.#inquiry === undefined) this.#inquire()
      return
    }
    if (this.#subscription !== undefined || ++this.#restLooks < this.#rest) return
    this.#rest = Math.min(this.#rest * 2, REST_MAX)
    this.#open()
  }

  #open(): void {
    this.#subscription = new Subscription(this)
  }

  #inquire(): void {
    this.#askLooks = 0
    this.#keys = 0
    this.#settings.clear()
    if (this.#needsKeys) this.#spoken = new Set()
    this.#inquiry = new Inquiry(this, this.#needsKeys)
  }

  #endInquiry(): void {
    this.#inquiry = undefined
    this.#spoken = undefined
  }

  #tellUnseen(what: 'settings' | 'keys', why: string): void {
    if (this.#unseen.has(what)) return
    this.#unseen.add(what)
    this.out.on({ kind: 'redis unseen', redis: this.voice.name, what, why })
  }

  #noteSpoken(spoken: Set<string>, { bytes, kind, length, pathStart, pathEnd }: Batch): void {
    const { buffer, byteOffset } = bytes
    for (let i = 0; i < length; i++) {
      if (kind[i]! < Kind.opened || kind[i]! > Kind.deleted) continue
      const start = pathStart[i]!
      spoken.add(Buffer.from(buffer, byteOffset + start, pathEnd[i]! - start).toString('latin1'))
    }
    if (spoken.size <= SPOKEN_MAX) return
    this.#inquiry?.stop()
    this.answered('too much was published meanwhile')
  }
}
