/** Events as plain objects, as the reference model hears them, and in coturn's words, as the fold does. */
import {
  appendPublish,
  appendScene,
  type Batch,
  createBatch,
  type GapReason,
  gapReasons,
  Kind,
} from '../../src/core/event.ts'

/** rcvp, rcvb, sentp, sentb: coturn's order. */
export type Four = readonly [number, number, number, number]

/** Whose event it is. */
export interface Path {
  readonly stream: number
  readonly boot: number
  readonly realm: string
  readonly username: string
  readonly id: string
}

interface Timed {
  /** Milliseconds since the epoch; null in a stream without time stamps. */
  readonly t: number | null
}

export interface StatusEvent extends Timed, Path {
  readonly kind: 'new' | 'refreshed'
  readonly lifetime: number
  /** null: coturn before 4.6.0 gives no addresses. */
  readonly server: string | null
  readonly client: string | null
}

export interface DeletedEvent extends Timed, Path {
  readonly kind: 'deleted'
}

export interface CountEvent extends Timed, Path {
  readonly kind: 'traffic' | 'traffic/peer' | 'total_traffic' | 'total_traffic/peer'
  readonly n: Four
}

export interface GapEvent extends Timed {
  readonly kind: 'gap'
  readonly stream: number
  readonly boot: number
  readonly began: number | null
  readonly ended: number | null
  readonly why: GapReason
}

/** The boots of a stream up to `over` are over. */
export interface RestartedEvent extends Timed {
  readonly kind: 'restarted'
  readonly stream: number
  readonly boot: number
  readonly over: number
}

/** Nothing but time. */
export interface TickEvent extends Timed {
  readonly kind: 'tick'
}

export type PathEvent = StatusEvent | DeletedEvent | CountEvent
export type ModelEvent = PathEvent | GapEvent | RestartedEvent | TickEvent

export function hasPath(event: ModelEvent): event is PathEvent {
  return 'id' in event
}

/** One event as text, for the report of a failure. */
export function wordsOf(event: ModelEvent): string {
  const { kind, t, ...rest } = event
  return `${t ?? '-'} ${kind} ${JSON.stringify(rest)}`
}

const SLAB = 64 * 1024
const EVENT_MAX = 1024
const text = new TextEncoder()

/** Writes events as a source would: into a slab that is used again, time and scene only when they change. */
export class Speaker {
  readonly #batch: Batch = createBatch(4096, new Uint8Array(SLAB))
  #used = 0
  #t: number | null = null
  #scene = ''

  /** True when the batch should be folded before anything is added. */
  get full(): boolean {
    return this.#used + EVENT_MAX > SLAB || this.#batch.length + 4 > 4096
  }

  add(event: ModelEvent): void {
    if (event.t !== null && event.t !== this.#t) {
      this.#t = event.t
      appendScene(this.#batch, Kind.tick, event.t)
    }
    if (event.kind === 'tick') return
    const scene = `${event.stream}/${event.boot}`
    if (scene !== this.#scene) {
      this.#scene = scene
      appendScene(this.#batch, Kind.from, event.stream, event.boot)
    }
    if (event.kind === 'gap') {
      const { began, ended, why } = event
      appendScene(this.#batch, Kind.gap, began ?? Number.NaN, ended ?? Number.NaN, gapReasons.indexOf(why))
    } else if (event.kind === 'restarted') appendScene(this.#batch, Kind.restarted, event.over)
    else this.#publish(channelOf(event), messageOf(event))
  }

  #publish(channel: string, message: string): void {
    const { bytes } = this.#batch
    const middle = this.#used + text.encodeInto(channel, bytes.subarray(this.#used)).written
    const end = middle + text.encodeInto(message, bytes.subarray(middle)).written
    appendPublish(this.#batch, this.#used, middle, middle, end)
    this.#used = end
  }

  /** Hands the batch over. Its bytes are spoilt afterwards, so that nobody can live on them. */
  speak(listen: (batch: Batch) => void): void {
    listen(this.#batch)
    this.#batch.bytes.fill(0x3f, 0, this.#used)
    this.#batch.length = 0
    this.#used = 0
  }
}

export function channelOf(event: PathEvent): string {
  const { realm, username, id, kind } = event
  const where = realm === '' ? 'turn' : `turn/realm/${realm}`
  const word = kind === 'new' || kind === 'refreshed' || kind === 'deleted' ? 'status' : kind
  return `${where}/user/${username}/allocation/${id}/${word}`
}

export function messageOf(event: PathEvent): string {
  if (event.kind === 'deleted') return 'deleted'
  if ('n' in event) {
    const [rcvp, rcvb, sentp, sentb] = event.n
    return `rcvp=${rcvp}, rcvb=${rcvb}, sentp=${sentp}, sentb=${sentb}`
  }
  const head = `${event.kind} lifetime=${event.lifetime}`
  if (event.server === null) return head
  return `${head}, type=UDP, local=${event.server}, remote=${event.client}, ssl=NONE, cipher=NONE`
}
