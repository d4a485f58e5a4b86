/** coturn's log as a source (rules R42 to R44): it can wait, and it can be read again. */
import type { Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import type { GapReason } from '../core/event.ts'
import type { Stream } from '../core/state.ts'
import type { MeterStatus } from '../serve/status.ts'
import { Lines, type LinesMemory, type TakeLine } from './lines.ts'
import { type LogMemory, LogReader, newLogMemory } from './log.ts'
import { type FileProgress, LogFollower, type Pace, type Piece, type Place } from './log-follow.ts'
import { openStdin, piecesOf } from './log-stdin.ts'
import { type GapNotice, holdsEvent, type Tap } from './outlet.ts'
import { Recorder } from './recorder.ts'
import type { Sink, Source } from './source.ts'

export interface LogOptions {
  /** Absolute, a pattern in its last part names all files of one log; `-`: standard input. */
  readonly path: string
  /** Milliseconds since the epoch; never runs backwards. */
  readonly now: () => number
  readonly on: (notice: LogNotice) => void
  /** More waits to be stored than should: reading can wait. */
  readonly isFull: () => boolean
  readonly pace?: Pace
  /** What is read for `-`; without it, standard input. */
  readonly input?: Readable
  /** Sees each batch first while the source is `tapping`. */
  readonly tap?: Tap
}

export interface LogSource extends Source {
  tapping: boolean
  status(): Pick<MeterStatus, 'servers' | 'log'>
}

/** What the operator may want to know. */
export type LogNotice =
  | GapNotice
  /** A file is begun or gone on with, or some more of it was read (`isNews` false). */
  | { readonly kind: 'log reading'; readonly log: string; readonly isNews: boolean; readonly file: FileProgress }
  /** All that was there has been read. */
  | { readonly kind: 'log current'; readonly log: string }
  /** Told again only for another reason, or after it could be read. */
  | { readonly kind: 'log unseen'; readonly log: string; readonly why: string }
  | { readonly kind: 'log undated'; readonly log: string }
  | { readonly kind: 'log forked'; readonly log: string; readonly file: string }
  | { readonly kind: 'log ended'; readonly log: string }

/** Where reading goes on, in the ledger as JSON. */
interface Cursor {
  /** Of what is piped in there is none. */
  readonly place?: Place | undefined
  readonly lines?: LinesMemory
  readonly memory: LogMemory
}

/** A line comes so late at most: its second is rounded down, and something may hold it up. */
const LAG_MS = 5000
const FULL_MS = 10
const PROGRESS_MS = 10_000

export const STDIN = '-'

export const logSource = (options: LogOptions): LogSource => new LogListener(options)

class LogListener implements LogSource {
  readonly claims
  tapping = false
  readonly #options: LogOptions
  readonly #name: string
  readonly #end = new AbortController()
  #running: Promise<void> = Promise.resolve()
  #follower: LogFollower | undefined
  #intake: Intake | undefined
  #lastEventAt = Number.NaN
  /** Why nothing is read; null: it is. */
  #why: string | null = null
  #forked: string | null = null
  /** That all is read was told. */
  #isCurrent = false
  #file: string | undefined
  #toldAt = Number.NEGATIVE_INFINITY

  constructor(options: LogOptions) {
    this.#options = options
    this.#name = options.path === STDIN ? 'standard input' : options.path
    this.claims = [{ source: 'log', name: this.#name, bootAware: false, hasOwnTime: true, version: null } as const]
  }

  async start(streams: readonly Stream[], sink: Sink): Promise<void> {
    const stream = streams[0]!
    // Until it is known that it cannot be read.
    stream.isAwaited = true
    const { path, now, pace, input } = this.#options
    const cursor = stream.cursor === null ? undefined : (JSON.parse(stream.cursor) as Cursor)
    this.#intake = new Intake(stream, cursor, now, (batch) => {
      if (holdsEvent(batch)) this.#lastEventAt = now()
      if (this.tapping) this.#options.tap?.(this.#name, now(), batch)
      sink(batch)
    })
    const { signal } = this.#end
    if (path !== STDIN) this.#follower = new LogFollower({ path, place: cursor?.place, now, pace, signal })
    const pieces = this.#follower?.pieces() ?? piecesOf(input ?? openStdin(), now, signal)
    if (stream.heardAt >= 0 && cursor?.place === undefined) this.#intake.lose(path === STDIN ? 'restart' : 'rotation')
    this.#running = this.#run(pieces, this.#intake)
  }

  async stop(): Promise<void> {
    this.#end.abort()
    await this.#running
  }

  status(): Pick<MeterStatus, 'servers' | 'log'> {
    const connections = this.#why === null ? 1 : 0
    const server = { kind: 'log', name: this.#name, version: null, connections, boot: 0, shared: false } as const
    const { file } = this.#follower ?? {}
    return {
      servers: [{ ...server, lastEventAt: this.#lastEventAt }],
      log: {
        why: this.#why,
        left: file?.left ?? 0,
        isUndated: this.#intake?.isUndated ?? false,
        forked: this.#forked,
      },
    }
  }

  async #run(pieces: AsyncIterable<Piece>, intake: Intake): Promise<void> {
    const { signal } = this.#end
    for await (const piece of pieces) {
      const wasUndated = intake.isUndated
      const gap = intake.take(piece, this.#follower?.place)
      if (gap !== undefined) this.#options.on({ kind: 'gap', server: this.#name, ...gap })
      if (intake.isUndated && !wasUndated) this.#options.on({ kind: 'log undated', log: this.#name })
      this.#tell(piece)
      while (this.#options.isFull() && !signal.aborted) await pause(FULL_MS, signal)
    }
  }

  #tell(piece: Piece): void {
    const { on } = this.#options
    const log = this.#name
    if (piece.kind === 'unseen' || piece.kind === 'end') {
      const why = piece.kind === 'end' ? 'it has ended' : piece.why
      if (why !== this.#why) on(piece.kind === 'end' ? { kind: 'log ended', log } : { kind: 'log unseen', log, why })
      this.#why = why
      this.#file = undefined
      return
    }
    this.#why = null
    if (piece.kind === 'forked') {
      this.#forked = piece.file
      return on({ kind: 'log forked', log, file: piece.file })
    }
    this.#tellProgress(piece.kind === 'still')
  }

  /** Each file is told of, now and then how far it is, and once that all is read. */
  #tellProgress(isAllRead: boolean): void {
    const { on } = this.#options
    const log = this.#name
    const now = performance.now()
    const file = this.#follower?.file
    const isNews = file?.path !== this.#file
    const isDue = !this.#isCurrent && !isAllRead && now - this.#toldAt >= PROGRESS_MS
    if (file !== undefined && (isNews || isDue)) {
      this.#file = file.path
      this.#toldAt = now
      this.#isCurrent = false
      on({ kind: 'log reading', log, isNews, file })
    }
    if (!isAllRead || this.#isCurrent) return
    this.#isCurrent = true
    on({ kind: 'log current', log })
  }
}

/** What is read becomes events, and the place up to which it was read is set with them. */
class Intake {
  readonly #stream: Stream
  readonly #now: () => number
  readonly #recorder: Recorder
  readonly #reader: LogReader
  readonly #take: TakeLine
  #lines: Lines
  #seenAt = 0

  constructor(stream: Stream, cursor: Cursor | undefined, now: () => number, sink: Sink) {
    this.#stream = stream
    this.#now = now
    this.#recorder = new Recorder(stream.id, sink)
    const memory = cursor?.memory ?? newLogMemory(stream.heardAt >= 0 ? stream.heardAt : null)
    this.#reader = new LogReader(this.#recorder, memory, now)
    this.#take = (bytes, start, end, isWhole) => this.#reader.read(bytes, start, end, isWhole, this.#seenAt)
    this.#lines = new Lines(this.#take, cursor?.lines)
  }

  get isUndated(): boolean {
    return this.#reader.isUndated
  }

  lose(why: GapReason): void {
    this.#reader.lose(why)
  }

  /** Takes a piece in, which ends at the place. Returns the gap that is known by it. */
  take(piece: Piece, place: Place | undefined): LogReader['lastGap'] {
    this.#reader.lastGap = undefined
    this.#read(piece)
    this.#recorder.flush()
    const { memory } = this.#reader
    const cursor: Cursor = place === undefined ? { memory } : { place, lines: this.#lines.memory, memory }
    this.#stream.cursor = JSON.stringify(cursor)
    this.#stream.isAwaited = piece.kind !== 'unseen' && piece.kind !== 'end'
    return this.#reader.lastGap
  }

  #read(piece: Piece): void {
    const reader = this.#reader
    switch (piece.kind) {
      case 'bytes':
        this.#seenAt = piece.seenAt
        return this.#lines.feed(piece.bytes)
      case 'still':
        return reader.pass(this.#now() - LAG_MS)
      case 'next':
      case 'end':
        this.#lines.end()
        return reader.nextFile()
      case 'lost':
        this.#lines = new Lines(this.#take)
        reader.nextFile()
        return reader.lose('rotation')
      case 'forked':
        return reader.lose('rotation')
      default:
    }
  }
}

/** Returns at once when it is to end. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await wait(ms, undefined, { signal }).catch(() => {})
}
