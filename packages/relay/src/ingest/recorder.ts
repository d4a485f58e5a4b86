/** Collects what a recording says and hands it on as batches. */
import { appendPublish, appendScene, type Batch, createBatch, Kind } from '../core/event.ts'
import { Boots } from './boots.ts'
import type { Sink } from './source.ts'

/** What a reader of one form does with a line. */
export type ReadLine = (line: string, out: Recorder) => void

/** One form of recording. */
export interface RecordingKind {
  /** As users see it. */
  readonly name: string
  /** What such a recording may lack when it tells of no allocation. */
  readonly lacks?: string
  /** Tells connections apart, and so boots. */
  readonly bootAware: boolean
  /** Whether these, the first lines of a file, are of this form. */
  detect(lines: readonly string[]): boolean
  /** A reader for one stream of such files; it may remember lines. */
  reader(): ReadLine
}

const SLAB = 256 * 1024
const EVENTS = 2048

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

  constructor(stream: number, sink: Sink) {
    this.#batch = createBatch(EVENTS, new Uint8Array(SLAB))
    this.#sink = sink
    this.#stream = stream
    this.#boots = new Boots(0)
    appendScene(this.#batch, Kind.from, stream, 0)
  }

  /** What follows happened at this time, milliseconds since the epoch; whole milliseconds are kept. */
  at(t: number): void {
    this.#room(0)
    appendScene(this.#batch, Kind.tick, Math.floor(t))
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
    this.#room(path.length)
    const { bytes } = this.#batch
    bytes.set(path, this.#used)
    const i = this.#batch.length++
    this.#batch.kind[i] = Kind.complete
    this.#batch.pathStart[i] = this.#used
    this.#used += path.length
    this.#batch.pathEnd[i] = this.#used
  }

  /** What follows came on this connection. */
  connection(name: string): void {
    this.#setBoot(this.#boots.event(name))
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

  #setBoot(boot: number): void {
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
