/** Collects what a recording says and hands it on as batches. */
import { appendPublish, appendScene, type Batch, createBatch, Kind, PATH_MAX } from '../core/event.ts'
import { Boots } from './boots.ts'
import { inOrder } from './log-time.ts'
import type { Sink } from './source.ts'

/** What a reader of one form does with a line. `isWhole`: nothing broke it off. */
export type ReadLine = (line: string, out: Recorder, isWhole?: boolean) => void

/** One form of recording. */
export interface RecordingKind {
  /** As users see it. */
  readonly name: string
  /** What such a recording may lack when it tells of no allocation. */
  readonly lacks?: string
  /** Tells connections apart, and so boots. */
  readonly bootAware: boolean
  /** `latin1`: its lines are given as one character for each byte, so that no byte is lost. */
  readonly encoding?: 'latin1'
  /** Whether these, the first lines of a file, are of this form. */
  detect(lines: readonly string[]): boolean
  /** A reader for one stream of such files; it may remember lines. `seenAt`: when the file was last written. */
  reader(seenAt: number): ReadLine
}

const SLAB = 256 * 1024
const EVENTS = 2048
const NO_TEXT = new Uint8Array(0)

/** Collects what a recording says and hands it to the sink in batches. */
export class Recorder {
  readonly #batch: Batch
  readonly #sink: Sink
  readonly #stream: number
  readonly #boots: Boots
  #used = 0
  #boot = 0
  /** Lines that look like an event and cannot be read. */
  malformed = 0
  /** How far times ran back at most, in milliseconds. */
  backMs = 0
  #latest = Number.NaN

  constructor(stream: number, sink: Sink) {
    this.#batch = createBatch(EVENTS, new Uint8Array(SLAB))
    this.#sink = sink
    this.#stream = stream
    this.#boots = new Boots(0)
    appendScene(this.#batch, Kind.from, stream, 0)
  }

  /** What follows happened at this time, milliseconds since the epoch; whole milliseconds are kept. */
  at(t: number): void {
    const time = inOrder(Math.floor(t), this.#latest)
    if (time < this.#latest) this.backMs = Math.max(this.backMs, this.#latest - time)
    else this.#latest = time
    this.#room(0)
    appendScene(this.#batch, Kind.tick, time)
  }

  /** A message was published. */
  publish(channel: Uint8Array, message: Uint8Array): void {
    const length = channel.length + message.length
    if (length > SLAB) {
      this.malformed++
      return
    }
    this.#room(length)
    const { bytes } = this.#batch
    const from = this.#used
    bytes.set(channel, from)
    bytes.set(message, from + channel.length)
    this.#used += length
    const middle = from + channel.length
    appendPublish(this.#batch, from, middle, middle, this.#used)
  }

  /** The allocation's reports were all heard, so that their sums are its totals: only a log can say so. */
  complete(path: Uint8Array): void {
    this.#about(Kind.complete, path)
  }

  /** A report of the allocation may be missing: only of a log can that be said of one. */
  damaged(path: Uint8Array): void {
    this.#about(Kind.damaged, path)
  }

  /** How the allocation's session was closed: only a log tells. */
  closing(path: Uint8Array, text: Uint8Array): void {
    this.#about(Kind.closing, path, text)
  }

  /** Something that may have been an event and cannot be read. */
  unreadable(): void {
    this.#room(0)
    appendScene(this.#batch, Kind.malformed, 0)
  }

  /** Events may have been lost between these times, for this reason of `gapReasons`. */
  gap(began: number, ended: number, why: number): void {
    this.#room(0)
    appendScene(this.#batch, Kind.gap, began, ended, why)
  }

  #about(kind: number, path: Uint8Array, text: Uint8Array = NO_TEXT): void {
    // The whole line, and so both, is no longer than a path may be; a longer one is none of coturn's.
    if (path.length > PATH_MAX || text.length > PATH_MAX) return
    this.#room(path.length + text.length)
    const { bytes } = this.#batch
    const i = this.#batch.length++
    const middle = this.#used + path.length
    bytes.set(path, this.#used)
    bytes.set(text, middle)
    this.#batch.kind[i] = kind
    this.#batch.pathStart[i] = this.#used
    this.#batch.pathEnd[i] = middle
    this.#batch.textStart[i] = middle
    this.#used = middle + text.length
    this.#batch.textEnd[i] = this.#used
  }

  /** What follows came on this connection. */
  connection(name: string): void {
    this.boot(this.#boots.event(name))
  }

  /** `KEYS` came. */
  keys(): void {
    this.#boots.keys()
    this.#endBoots()
  }

  /** The connection is closed; one of the same name may follow. */
  disconnected(name: string): void {
    this.#boots.closed(name)
    this.#endBoots()
  }

  #endBoots(): void {
    for (const boot of this.#boots.over()) {
      this.#room(0)
      appendScene(this.#batch, Kind.restarted, boot)
    }
  }

  /** What follows is of this boot. */
  boot(boot: number): void {
    if (boot === this.#boot) return
    this.#room(0)
    this.#boot = boot
    appendScene(this.#batch, Kind.from, this.#stream, boot)
  }

  #room(bytes: number): void {
    if (this.#batch.length < EVENTS && this.#used + bytes <= SLAB) return
    this.flush()
  }

  flush(): void {
    this.#sink(this.#batch)
    this.#batch.length = 0
    this.#used = 0
  }
}
