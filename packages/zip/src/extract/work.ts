/** What each thread does: takes the next piece of the archive, and writes the entries in it, until there is none. */
import { setImmediate as othersFirst } from 'node:timers/promises'
import { Unseen } from '@fettle/check'
import { Damaged } from '../core/damaged.ts'
import { type Columns, METHOD } from '../core/directory.ts'
import { isEncrypted } from '../core/entry.ts'
import { dataStart, disagreement } from '../core/local.ts'
import { Refused } from '../core/refused.ts'
import { reach, SLACK } from '../core/spans.ts'
import { Tally, type Told } from '../core/told.ts'
import { Batch, SMALL } from '../decode/batch.ts'
import { contentOf, contentStream, prepare } from '../decode/content.ts'
import { type Decode, dataOf, dataStream, NOTHING, nameOf, type Piece, placeOf, storedOf } from '../entries.ts'
import type { Source } from '../source/source.ts'
import { fatal } from './fault.ts'
import { Blocked } from './folder.ts'
import { BYTES, FILES, type Job, NEXT, OUTCOME, STOP } from './job.ts'
import { type Left, Writer } from './write.ts'

/** Larger ones pass through memory in parts. */
const WHOLE_MAX = 16_777_216
/** So many batches are unpacked before the one that is written. */
const AHEAD = 3
/** For so long nothing else comes in between. */
const PATIENCE_SECONDS = 0.02
/** For so long new folders are without a name: as much is lost when we are killed. */
const NAMELESS_MS = 500

/** What is unpacked together with others. */
function isSmall(columns: Columns, entry: number): boolean {
  const { method, size, compressed } = columns
  if (method[entry] !== METHOD.deflate || isEncrypted(columns, entry)) return false
  return compressed[entry]! + size[entry]! < SMALL
}

const isLarge = ({ size, compressed }: Columns, entry: number) =>
  compressed[entry]! > WHOLE_MAX || size[entry]! > WHOLE_MAX

/** Why nothing more can be written. */
class Stopped extends Error {}

export interface Worked {
  readonly tally: Tally
  /** Why nothing more could be written; undefined: all was done, or it was asked to stop. */
  readonly failure: string | undefined
}

/** `thread`: its number, other than that of all others. */
export async function work(job: Job, source: Source, decode: Decode, thread: number): Promise<Worked> {
  const tally = new Tally()
  let failure: string | undefined
  const bugs: unknown[] = []
  const stopped = (error: unknown) => {
    Atomics.store(job.control.state, STOP, 2)
    if (error instanceof Stopped || error instanceof Unseen) failure ??= error.message
    else bugs.push(error)
  }
  const attempt = <T>(what: () => T): T | undefined => {
    try {
      return what()
    } catch (error) {
      stopped(error)
      return undefined
    }
  }
  const worker = attempt(() => new Worker(job, source, decode, thread, tally))
  if (worker !== undefined) {
    const lanes = Array.from({ length: source.pace.parallel }, () => worker.run().catch(stopped))
    const naming = setInterval(() => attempt(() => worker.giveNames()), NAMELESS_MS)
    await Promise.all(lanes)
    clearInterval(naming)
    attempt(() => worker.giveNames())
    attempt(() => worker.close())
  }
  if (bugs.length > 0) throw bugs[0]
  return { tally, failure }
}

class Worker {
  readonly #tally: Tally
  readonly #job: Job
  readonly #source: Source
  readonly #decode: Decode
  readonly #writer: Writer | undefined
  /** Not told yet. */
  #doneBytes = 0
  #doneFiles = 0
  #since = process.uptime()
  /** What is gathered, what is being unpacked meanwhile, and those that are empty. */
  #batch = new Batch()
  readonly #unpacking: { readonly batch: Batch; readonly contents: Promise<Buffer[] | undefined> }[] = []
  readonly #spare: Batch[] = []
  /** What was read last, where it can be read into memory of ours. */
  #buffer: Buffer | undefined

  constructor(job: Job, source: Source, decode: Decode, thread: number, tally: Tally) {
    this.#job = job
    this.#tally = tally
    this.#source = source
    this.#decode = decode
    if (job.output !== undefined) this.#writer = new Writer(job, job.output, decode, thread)
  }

  /** What is in new folders is seen then. */
  giveNames(): void {
    let stopped: unknown
    this.#writer?.giveNames((entry, place) => {
      this.#undone(entry)
      if (stopped !== undefined) return
      try {
        if (!this.#isDone(entry, place)) this.#done(entry, OUTCOME.written)
      } catch (error) {
        stopped = error
      }
    })
    if (stopped !== undefined) throw stopped
  }

  close(): void {
    this.#tellDone()
    this.#writer?.close()
  }

  async run(): Promise<void> {
    const { spans, control } = this.#job
    while (!this.#isStopped()) {
      const span = Atomics.add(control.state, NEXT, 1)
      if (span >= spans.count) break
      const rest = this.#span(span)
      if (rest !== undefined) await rest
    }
    while (!this.#isStopped() && (this.#unpacking.length > 0 || this.#batch.members.length > 0)) await this.#flush()
  }

  #isStopped(): boolean {
    return Atomics.load(this.#job.control.state, STOP) !== 0
  }

  /** Asked for before each entry: signals come in between, and what shows how far this is. */
  #breath(): Promise<void> | undefined {
    if (!this.#isBreathDue()) return undefined
    this.#since = process.uptime()
    this.#tellDone()
    return othersFirst()
  }

  #isBreathDue(): boolean {
    return process.uptime() - this.#since >= PATIENCE_SECONDS
  }

  /** Undefined: all of it is done. Nearly always it is: waiting costs as much as a small entry does. */
  #span(span: number): Promise<void> | undefined {
    const { order, spans, output } = this.#job
    const all = order.subarray(spans.first[span]!, spans.first[span + 1]!)
    if (output !== undefined && !output.isNew) return this.#unlessThere(span, all)
    const piece = this.#piece(span, all)
    if (piece instanceof Promise) return this.#entries(all, piece)
    let done = 0
    while (done < all.length && this.#isAtOnce(all[done]!, piece)) done++
    return done === all.length ? undefined : this.#entries(all.subarray(done), piece)
  }

  async #unlessThere(span: number, all: Uint32Array): Promise<void> {
    const entries = Uint32Array.from(await this.#pending(all))
    if (entries.length > 0) await this.#entries(entries, this.#piece(span, entries))
  }

  /** What is read for these entries of a span, the first and the last of which are not left out. */
  #piece(span: number, entries: Uint32Array): Piece | Promise<Piece> {
    const { spans, columns } = this.#job
    const start = columns.offset[entries[0]!]!
    const last = entries.at(-1)!
    if (isLarge(columns, last)) return NOTHING
    const end = Math.min(spans.end[span]!, reach(columns, last) + SLACK)
    const bytes = this.#read(start, Math.max(end, start))
    return bytes instanceof Promise ? bytes.then((bytes) => ({ start, bytes })) : { start, bytes }
  }

  /** Whether it is done, and nothing had to be waited for. */
  #isAtOnce(entry: number, piece: Piece): boolean {
    if (this.#isStopped() || this.#batch.isFull || this.#isBreathDue()) return false
    try {
      return this.#atOnce(entry, piece)
    } catch (error) {
      this.#failed(entry, error)
      return true
    }
  }

  async #entries(entries: Uint32Array, read: Piece | Promise<Piece>): Promise<void> {
    const piece = await read
    for (const entry of entries) {
      const breath = this.#breath()
      if (breath !== undefined) await breath
      // Others fill it too, meanwhile.
      while (this.#batch.isFull) await this.#flush()
      if (this.#isStopped()) return
      try {
        if (!this.#atOnce(entry, piece)) await this.#entry(entry, piece)
      } catch (error) {
        this.#failed(entry, error)
      }
    }
  }

  /** Those of which something is left to do, after what is there already. */
  async #pending(all: Uint32Array): Promise<number[]> {
    const entries: number[] = []
    for (const entry of all) {
      const breath = this.#breath()
      if (breath !== undefined) await breath
      if (this.#isStopped()) return []
      if (!this.#isDone(entry, () => this.#writer?.left(entry))) entries.push(entry)
    }
    return entries
  }

  #read(start: number, end: number): Buffer | Promise<Buffer> {
    const source = this.#source
    if (source.readInto === undefined || end - start > source.pace.piece) return source.read(start, end)
    this.#buffer ??= Buffer.allocUnsafe(source.pace.piece)
    return source.readInto(this.#buffer, start, end)
  }

  /** Whether nothing is left to do for it, because of what has its name. */
  #isDone(entry: number, look: () => Left | undefined): boolean {
    try {
      const left = look()
      if (left === 'same') this.#done(entry, OUTCOME.same)
      else if (left !== undefined) this.#left(entry, left, '')
      return left !== undefined
    } catch (error) {
      this.#failed(entry, error)
      return true
    }
  }

  #failed(entry: number, error: unknown): void {
    const reason = fatal(error)
    if (reason !== undefined) throw new Stopped(`${this.#job.output?.folder ?? this.#source.name}: ${reason}`)
    this.#left(entry, ...whyOf(error))
  }

  #left(entry: number, what: Told, detail: string): void {
    this.#done(entry, OUTCOME.left)
    this.#tally.add(what, this.#nameOf(entry), detail)
  }

  #done(entry: number, outcome: number): void {
    const { control, columns } = this.#job
    control.outcomes[entry] = outcome
    this.#doneBytes += columns.size[entry]!
    this.#doneFiles++
  }

  #undone(entry: number): void {
    const { control, columns } = this.#job
    control.outcomes[entry] = OUTCOME.pending
    this.#doneBytes -= columns.size[entry]!
    this.#doneFiles--
  }

  /** The others, and whoever shows how far this is, come to know of it. */
  #tellDone(): void {
    const { done } = this.#job.control
    Atomics.add(done, BYTES, BigInt(this.#doneBytes))
    Atomics.add(done, FILES, BigInt(this.#doneFiles))
    this.#doneBytes = 0
    this.#doneFiles = 0
  }

  #nameOf(entry: number): string {
    return nameOf(this.#job.columns, entry, this.#decode)
  }

  /** Whether all that is needed was there. */
  #atOnce(entry: number, piece: Piece): boolean {
    const { columns, secret } = this.#job
    const header = columns.offset[entry]! - piece.start
    const data = dataStart(piece.bytes, header)
    if (data === undefined || isLarge(columns, entry)) return false
    const end = data + columns.compressed[entry]!
    if (end > piece.bytes.length) return false
    const bytes = piece.bytes.subarray(data, end)
    if (isSmall(columns, entry)) {
      this.#compare(entry, piece.bytes, header)
      this.#batch.add(entry, bytes, columns.size[entry]!, columns.crc[entry]!)
      return true
    }
    const stored = storedOf(columns, entry, piece.bytes.readUInt16LE(header + 10))
    if (prepare(stored) !== undefined) return false
    this.#compare(entry, piece.bytes, header)
    this.#write(entry, contentOf(stored, bytes, secret))
    return true
  }

  /** Has unpacked what was gathered, and meanwhile writes what was unpacked before. */
  async #flush(): Promise<void> {
    const batch = this.#batch
    const isMore = batch.members.length > 0
    if (isMore) {
      this.#unpacking.push({ batch, contents: batch.unpack() })
      this.#batch = this.#spare.pop() ?? new Batch()
    }
    // zlib comes back in the middle of each, and goes on only when it is listened to.
    await othersFirst()
    if (isMore && this.#unpacking.length <= AHEAD) return
    const first = this.#unpacking.shift()
    if (first === undefined) return
    this.#writeAll(first.batch, await first.contents)
    this.#spare.push(first.batch)
  }

  /** Empties the batch. */
  #writeAll(batch: Batch, contents: readonly Buffer[] | undefined): void {
    for (let i = 0; i < batch.members.length; i++) {
      const member = batch.members[i]!
      try {
        this.#write(member.entry, contents?.[i] ?? this.#single(member.entry, batch.data(member)))
      } catch (error) {
        this.#failed(member.entry, error)
      }
    }
    batch.clear()
  }

  #single(entry: number, data: Buffer): Buffer {
    return contentOf(storedOf(this.#job.columns, entry, 0), data)
  }

  #compare(entry: number, bytes: Buffer, header: number): void {
    const differs = disagreement(bytes, header, this.#job.columns, entry)
    if (differs !== undefined) this.#tally.add('local-differs', this.#nameOf(entry), `its header says ${differs}`)
  }

  async #entry(entry: number, piece: Piece): Promise<void> {
    const { columns, secret } = this.#job
    const { bytes, header, data, stored } = await placeOf(this.#source, columns, entry, piece)
    this.#compare(entry, bytes, header)
    const loading = prepare(stored)
    if (loading !== undefined) await loading
    if (isLarge(columns, entry)) {
      const parts = dataStream(this.#source, columns, entry, data)
      return await this.#writeParts(entry, contentStream(stored, parts, secret))
    }
    this.#write(entry, contentOf(stored, await dataOf(this.#source, columns, entry, piece, data), secret))
  }

  #write(entry: number, content: Buffer): void {
    this.#writer?.write(entry, content)
    this.#done(entry, OUTCOME.written)
  }

  async #writeParts(entry: number, parts: AsyncIterable<Buffer>): Promise<void> {
    const isStopped = () => this.#isStopped()
    if (this.#writer !== undefined) {
      if (!(await this.#writer.writeParts(entry, this.#breathing(parts), isStopped))) return
    } else for await (const _ of this.#breathing(parts)) if (isStopped()) return
    this.#done(entry, OUTCOME.written)
  }

  async *#breathing(parts: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const part of parts) {
      const breath = this.#breath()
      if (breath !== undefined) await breath
      yield part
    }
  }
}

/** How what became of an entry is told. Throws what is no expected failure. */
export function whyOf(error: unknown): [Told, string] {
  if (error instanceof Damaged || error instanceof Refused) return [error.kind, error.message]
  if (error instanceof Blocked) return ['blocked', error.message]
  const code = (error as NodeJS.ErrnoException).code
  if (code === undefined || !(error instanceof Error) || !('syscall' in error)) throw error
  if (code === 'ENAMETOOLONG') return ['long-name', code]
  return ['blocked', CODES[code] ?? code]
}

const CODES: Readonly<Record<string, string>> = {
  EACCES: 'its folder may not be written into',
  EPERM: 'its folder may not be written into',
  EISDIR: 'a folder has its name',
  ENOTDIR: 'a file stands where a folder should be',
  ENOTEMPTY: 'a folder has its name',
  EXDEV: 'its folder is on another file system; extract into that one',
}
