/** Collects what a recording says and hands it on as batches. */
import { appendPublish, appendScene, type Batch, createBatch, Kind, PATH_MAX } from '../core/event.ts'
import { Boots } from './boots.ts'
import type { EventLine } from './log-event.ts'
import { inOrder } from './log-time.ts'
import type { Sink } from './source.ts'

/**
 * What a reader of one form does with a line, `[start, end)` of the bytes. `isWhole`: nothing broke it off. `seenAt`:
 * when its file was last written.
 */
export type ReadLine = (
  bytes: Buffer,
  start: number,
  end: number,
  out: Recorder,
  isWhole: boolean,
  seenAt: number,
) => void

/** Reads the lines of one stream of files; it may remember lines. */
export interface LineReader {
  readonly read: ReadLine
  /** What comes next stands in another file. */
  nextFile?(): void
}

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
  reader(): LineReader
}

const SLAB = 256 * 1024
const EVENTS = 2048
const NO_TEXT = new Uint8Array(0)
const TURN_REALM = Buffer.from('turn/realm/')
const TURN_USER = Buffer.from('turn/user/')
const USER = Buffer.from('/user/')
const ALLOCATION = Buffer.from('/allocation/')
/** What is put around the names of a path, at most. */
const PATH_WORDS = 40

/** A reader that takes lines as text. */
export const textReader = (read: (line: string, out: Recorder) => void): LineReader => ({
  read: (bytes, start, end, out) => read(bytes.toString('utf8', start, end), out),
})

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

  /** What a line of a log says, as `publish` would have it of the same event. */
  event(bytes: Buffer, line: EventLine): void {
    const { idStart, idEnd, realmStart, realmEnd, userStart, userEnd } = line
    this.#room(idEnd - idStart + realmEnd - realmStart + userEnd - userStart + PATH_WORDS)
    const from = this.#used
    if (realmEnd > realmStart) {
      this.#put(TURN_REALM, 0, TURN_REALM.length)
      this.#put(bytes, realmStart, realmEnd)
      this.#put(USER, 0, USER.length)
    } else this.#put(TURN_USER, 0, TURN_USER.length)
    this.#put(bytes, userStart, userEnd)
    this.#put(ALLOCATION, 0, ALLOCATION.length)
    this.#put(bytes, idStart, idEnd)
    const i = this.#append(line.kind, from, this.#used, this.#used)
    for (let k = 0; k < 4; k++) this.#batch.n[i * 4 + k] = line.n[k]!
  }

  #put(from: Uint8Array, start: number, end: number): void {
    const { bytes } = this.#batch
    let at = this.#used
    for (let i = start; i < end; i++) bytes[at++] = from[i]!
    this.#used = at
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
    const from = this.#used
    const middle = from + path.length
    bytes.set(path, from)
    bytes.set(text, middle)
    this.#used = middle + text.length
    this.#append(kind, from, middle, this.#used)
  }

  /** A path in `[from, middle)` of the slab, and a text up to `to`. */
  #append(kind: number, from: number, middle: number, to: number): number {
    const batch = this.#batch
    const i = batch.length++
    batch.kind[i] = kind
    batch.pathStart[i] = from
    batch.pathEnd[i] = middle
    batch.textStart[i] = middle
    batch.textEnd[i] = to
    return i
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
    this.#boot = boot
    // A batch begins with it.
    if (this.#batch.length > 0) this.#from()
  }

  #from(): void {
    appendScene(this.#batch, Kind.from, this.#stream, this.#boot)
  }

  /** Room for one more event and its bytes. */
  #room(bytes: number): void {
    if (this.#batch.length >= EVENTS - 1 || this.#used + bytes > SLAB) this.flush()
    if (this.#batch.length === 0) this.#from()
  }

  flush(): void {
    if (this.#batch.length === 0) return
    this.#sink(this.#batch)
    this.#batch.length = 0
    this.#used = 0
  }
}
