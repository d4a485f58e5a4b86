/** Follows a log from file to file, as it grows, is rotated, cut or packed (rule R42). Every wait has an end. */
import { stat } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { filesOf, isPattern, type LogFile, lookAt } from './log-files.ts'
import { openLog, type Reading, type Spot } from './log-reading.ts'

/** Where reading goes on; plain data, to be kept. */
export interface Place extends Spot {
  /** Of the file that was written: a copy of it is another one. */
  readonly id: string
  /** It is read in a copy: what was written to the file between the copy and its cut is in neither. */
  readonly isCopy: boolean
  readonly writtenAt: string
  /** The files that were read before, the last ones. */
  readonly done: readonly Done[]
}

/** Where a file ended that was read: should it be written again, it is not read again. */
interface Done extends Spot {
  readonly id: string
}

export type Piece =
  /** Valid until the next piece. `seenAt`: when it was there to be read, milliseconds since the epoch. */
  | { readonly kind: 'bytes'; readonly bytes: Buffer; readonly seenAt: number }
  /** All that is there has been read. */
  | { readonly kind: 'still' }
  /** The file is over; what comes next stands in another one. */
  | { readonly kind: 'next' }
  /** What comes next does not follow what was read: lines may be lost in between. */
  | { readonly kind: 'lost' }
  /** A file goes on that was left for one that was written later: two write at once. */
  | { readonly kind: 'forked'; readonly file: string }
  /** Nothing can be read now, for this reason. */
  | { readonly kind: 'unseen'; readonly why: string }
  /** Nothing more comes. */
  | { readonly kind: 'end' }

/** In bytes. */
export interface FileProgress {
  readonly path: string
  /** As it was when it was opened; of a packed file, packed. */
  readonly size: number
  readonly from: number
  /** As far as it is known. */
  readonly left: number
}

/** How much is read at once, how often it is looked for more, and for what was missing or is rare. */
export interface Pace {
  readonly pieceBytes: number
  readonly pollMs: number
  readonly retryMs: number
}

const usualPace: Pace = { pieceBytes: 256 * 1024, pollMs: 250, retryMs: 1000 }
const DONE_MAX = 16

export interface FollowOptions {
  /** Absolute; a pattern in its last part names all files of one log. */
  readonly path: string
  /** Where the last run has come to. */
  readonly place: Place | undefined
  readonly now: () => number
  readonly pace?: Pace | undefined
  /** Ends it. */
  readonly signal: AbortSignal
}

export class LogFollower {
  readonly #options: FollowOptions
  readonly #pace: Pace
  #reading: Reading | undefined
  /** The one before, as long as it may still be written. */
  #left: Reading | undefined
  /** While nothing is read: where reading goes on. */
  #place: Place | undefined
  #id = ''
  #isCopy = false
  #done: readonly Done[] = []
  /** Where reading was begun in it. */
  #from = 0
  #isCaughtUp = false
  #lookedAt = Number.NEGATIVE_INFINITY

  constructor(options: FollowOptions) {
    this.#options = options
    this.#pace = options.pace ?? usualPace
    this.#place = options.place
  }

  /** Up to the end of the last piece; undefined before the first. */
  get place(): Place | undefined {
    if (this.#reading === undefined) return this.#place
    const { spot, file } = this.#reading
    return { ...spot, id: this.#id, isCopy: this.#isCopy, writtenAt: String(file.writtenAt), done: this.#done }
  }

  get file(): FileProgress | undefined {
    if (this.#reading === undefined) return undefined
    const { file, spot } = this.#reading
    const left = this.#isCaughtUp ? 0 : Math.max(0, file.size - spot.offset)
    return { path: file.path, size: file.size, from: this.#from, left }
  }

  async *pieces(): AsyncGenerator<Piece> {
    const { signal } = this.#options
    try {
      while (!signal.aborted) {
        const piece = await this.#step().catch(unseen)
        if (piece !== undefined) yield piece
        if (piece?.kind === 'unseen') await this.#pause(this.#pace.retryMs)
        if (piece?.kind === 'still') await this.#pause(this.#pace.pollMs)
      }
    } finally {
      await this.#reading?.close()
      await this.#left?.close()
    }
  }

  /** Returns at once when it is to end. */
  async #pause(ms: number): Promise<void> {
    await wait(ms, undefined, { signal: this.#options.signal }).catch(() => {})
  }

  async #step(): Promise<Piece | undefined> {
    if (this.#reading === undefined) return this.#begin()
    const bytes = await this.#read(this.#reading)
    if (bytes === undefined || bytes.kind === 'bytes') return bytes
    this.#isCaughtUp = true
    const next = await this.#next(this.#reading)
    if (next === undefined) return (await this.#forked()) ?? bytes
    // What was written before the next one was begun is there by now.
    const last = await this.#read(this.#reading)
    if (last?.kind !== 'still') {
      await next.close()
      return last
    }
    return this.#goOnWith(next)
  }

  /** Undefined: what was read stands there no more, and is to be found again. */
  async #read(reading: Reading): Promise<Piece | undefined> {
    const bytes = await reading.read().catch(async (error: Error) => {
      await this.#drop(reading)
      throw error
    })
    if (bytes === undefined) return this.#drop(reading)
    if (bytes.length === 0) return { kind: 'still' }
    const seenAt = this.#isCaughtUp ? this.#options.now() : Number(reading.file.writtenAt / 1_000_000n)
    return { kind: 'bytes', bytes, seenAt }
  }

  async #drop(reading: Reading): Promise<undefined> {
    this.#place = this.place
    this.#reading = undefined
    // Its system may have gone away.
    await reading.close().catch(() => {})
  }

  async #begin(): Promise<Piece | undefined> {
    const { path } = this.#options
    const files = await filesOf(path)
    const place = this.#place
    const last = files.at(-1)
    if (place === undefined) {
      const first = isPattern(path) ? files[0] : last?.path === path ? last : undefined
      if (first === undefined) return this.#absent()
      return this.#adopt(await this.#open(first.path))
    }
    if (last === undefined) return this.#absent()
    const found = await this.#find(files, place)
    this.#done = place.done
    if (found === undefined) {
      // A file that was cut is itself what follows; what is older may be a copy of what was read.
      const isCut = ({ id }: LogFile) => id === place.id
      const isLater = ({ writtenAt }: LogFile) => writtenAt > BigInt(place.writtenAt)
      const after = files.find(isCut) ?? files.find(isLater) ?? last
      this.#adopt(await this.#open(after.path))
      return { kind: 'lost' }
    }
    const isCut = found.file.id !== place.id && files.some(({ id }) => id === place.id)
    this.#adopt(found)
    if (place.isCopy || isCut) this.#readCopyOf(place.id)
    return undefined
  }

  async #absent(): Promise<Piece> {
    const isThere = await stat(this.#options.path).then(
      () => true,
      () => false,
    )
    return { kind: 'unseen', why: isThere ? 'it is no file' : ABSENT }
  }

  #readCopyOf(id: string): void {
    this.#isCopy = true
    this.#id = id
  }

  #adopt(reading: Reading): undefined {
    this.#reading = reading
    this.#id = reading.file.id
    this.#from = reading.spot.offset
    this.#isCopy = false
    this.#isCaughtUp = false
  }

  /** The file that was written next, if there is one that holds anything. */
  async #next(reading: Reading): Promise<Reading | undefined> {
    const { path } = this.#options
    if (!isPattern(path) && (await lookAt(path))?.id === reading.file.id) return undefined
    if (performance.now() - this.#lookedAt < this.#pace.retryMs) return undefined
    this.#lookedAt = performance.now()
    const file = await this.#fileAfter(reading)
    if (file === undefined) return undefined
    const next = await this.#open(file.path)
    // While names change hands a file may be missing in a list, or be another one when it is opened.
    const isStill = next.file.id === file.id && (await this.#fileAfter(reading))?.id === file.id
    if (isStill) return next
    await next.close()
    return undefined
  }

  async #fileAfter({ file: { id, writtenAt }, spot }: Reading): Promise<LogFile | undefined> {
    const files = await filesOf(this.#options.path)
    const at = files.findIndex((file) => file.id === id)
    const later = at >= 0 ? files.slice(at + 1) : files.filter((file) => file.writtenAt >= writtenAt)
    for (const file of later) if (file.size > 0 && !(await this.#isDone(file, spot))) return file
    return undefined
  }

  async #goOnWith(next: Reading): Promise<Piece> {
    const reading = this.#reading!
    await this.#left?.close()
    this.#left = reading
    this.#done = [...this.#done, { ...reading.spot, id: reading.file.id }].slice(-DONE_MAX)
    const id = this.#id
    const isCopy = this.#isCopy
    this.#adopt(next)
    if (isCopy && next.file.id !== id) this.#readCopyOf(id)
    return { kind: isCopy || reading.isBroken ? 'lost' : 'next' }
  }

  #open(path: string): Promise<Reading> {
    return openLog(path, this.#pace.pieceBytes)
  }

  async #forked(): Promise<Piece | undefined> {
    const left = this.#left
    if (left === undefined || (await left.left().catch(() => 0)) === 0) return undefined
    this.#left = undefined
    await left.close()
    return { kind: 'forked', file: left.file.path }
  }

  /** The file in which the place is. One that cannot be opened is passed over, but for the newest. */
  async #find(files: readonly LogFile[], place: Place): Promise<Reading | undefined> {
    const isSame = ({ id }: LogFile) => (id === place.id ? 0 : 1)
    for (const file of files.toReversed().sort((a, b) => isSame(a) - isSame(b))) {
      const reading = await this.#open(file.path).catch((error: Error) => {
        if (file === files.at(-1)) throw error
      })
      if (reading === undefined) continue
      // Nothing stands in front of the first byte to know a file by.
      const isLike = place.offset > 0 || reading.file.id === place.id
      if (isLike && (await reading.goTo(place))) return reading
      await reading.close()
    }
    return undefined
  }

  /** Whether it was read before, or is what was just read, packed meanwhile. */
  async #isDone(file: LogFile, own: Spot): Promise<boolean> {
    for (const end of [...this.#done.filter(({ id }) => id === file.id), own]) {
      if (end.offset === 0) continue
      const reading = await this.#open(file.path)
      const isSame = await reading.goTo(end)
      await reading.close()
      if (isSame) return true
    }
    return false
  }
}

const ABSENT = 'it is not there'

/** What the system refuses is told, and tried again. */
function unseen(error: NodeJS.ErrnoException): Piece {
  if (error.code === undefined) throw error
  return { kind: 'unseen', why: error.code === 'ENOENT' ? ABSENT : `it cannot be read (${error.code})` }
}
