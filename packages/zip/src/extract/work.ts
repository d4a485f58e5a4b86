/** What each thread does: takes the next piece of the archive, and writes the entries in it, until there is none. */
import { rmSync, type Stats } from 'node:fs'
import { setImmediate as othersFirst } from 'node:timers/promises'
import { Unseen } from '@fettle/check'
import { Damaged } from '../core/damaged.ts'
import { type Columns, MARK, METHOD, modifiedMs } from '../core/directory.ts'
import { isDos, isEncrypted, modeOf } from '../core/entry.ts'
import { dataStart, disagreement } from '../core/local.ts'
import { Refused } from '../core/refused.ts'
import { reach, SLACK } from '../core/spans.ts'
import { refusalWords, targetOf } from '../core/target.ts'
import { Tally, type Told } from '../core/told.ts'
import { Batch, SMALL } from '../decode/batch.ts'
import { contentOf, contentStream, prepare } from '../decode/content.ts'
import { type Decode, dataOf, dataStream, NOTHING, nameOf, type Piece, placeOf, storedOf } from '../entries.ts'
import type { Source } from '../source/source.ts'
import { Beside } from './beside.ts'
import { fatal } from './fault.ts'
import { Blocked, Folder, type Opened } from './folder.ts'
import { BYTES, FILES, type Job, NEXT, OUTCOME, STOP } from './job.ts'
import { closeDraft, type Draft, dropDraft, hasContent, openDraft, put, there, writeAll } from './place.ts'
import { openShelf } from './stage.ts'

/** Larger ones pass through memory in parts. */
const WHOLE_MAX = 16_777_216
const PLAIN_MODE = 0o666
/** For so long nothing else comes in between. */
const PATIENCE_MS = 20

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

/** Where a file goes. */
interface Target {
  readonly path: string
  readonly name: string
  readonly folder: Opened
}

/** `thread`: its number, other than that of all others. */
export async function work(job: Job, source: Source, decode: Decode, thread: number): Promise<Worked> {
  const worker = new Worker(job, source, decode, thread)
  const lanes = Array.from({ length: source.pace.parallel }, () => worker.run())
  try {
    await Promise.all(lanes)
    return { tally: worker.tally, failure: undefined }
  } catch (error) {
    Atomics.store(job.control.state, STOP, 2)
    await Promise.allSettled(lanes)
    if (!(error instanceof Stopped || error instanceof Unseen)) throw error
    return { tally: worker.tally, failure: error.message }
  } finally {
    worker.close()
  }
}

class Worker {
  readonly tally = new Tally()
  readonly #job: Job
  readonly #source: Source
  readonly #decode: Decode
  readonly #folder: Folder | undefined
  readonly #shelf: ReturnType<typeof openShelf> | undefined
  #drafts = 0
  /** Not told yet. */
  #doneBytes = 0
  #doneFiles = 0
  #since = performance.now()
  /** What is gathered, what is being unpacked meanwhile, and one that is empty. */
  #batch = new Batch()
  #unpacking: { readonly batch: Batch; readonly contents: Promise<Buffer[] | undefined> } | undefined
  #spare: Batch | undefined
  readonly #beside = new Beside()
  /** What was read last, where it can be read into memory of ours. */
  #buffer: Buffer | undefined

  constructor(job: Job, source: Source, decode: Decode, thread: number) {
    this.#job = job
    this.#source = source
    this.#decode = decode
    this.#folder = job.output === undefined ? undefined : new Folder(job.output.folder, job.output.isNew)
    this.#shelf = job.output === undefined ? undefined : openShelf(job.output.stage, thread)
  }

  close(): void {
    this.#tellDone()
    this.#folder?.close()
    this.#shelf?.close()
  }

  async run(): Promise<void> {
    const { spans, control } = this.#job
    while (!this.#isStopped()) {
      const span = Atomics.add(control.state, NEXT, 1)
      if (span >= spans.count) break
      await this.#span(span)
    }
    while (!this.#isStopped() && (this.#unpacking !== undefined || this.#batch.members.length > 0)) await this.#flush()
  }

  #isStopped(): boolean {
    return Atomics.load(this.#job.control.state, STOP) !== 0
  }

  /** Asked for before each entry: signals come in between, and what shows how far this is. */
  #breath(): Promise<void> | undefined {
    const now = performance.now()
    if (now - this.#since < PATIENCE_MS) return undefined
    this.#since = now
    this.#tellDone()
    return othersFirst()
  }

  async #span(span: number): Promise<void> {
    const { order, spans, columns, output } = this.#job
    const all = order.subarray(spans.first[span]!, spans.first[span + 1]!)
    const entries = output === undefined || output.isNew ? all : await this.#pending(all)
    if (entries.length === 0) return
    const start = columns.offset[entries[0]!]!
    const last = entries.at(-1)!
    const end = Math.min(spans.end[span]!, reach(columns, last) + SLACK)
    const piece = isLarge(columns, last) ? NOTHING : { start, bytes: await this.#read(start, Math.max(end, start)) }
    for (const entry of entries) {
      const breath = this.#breath()
      if (breath !== undefined) await breath
      if (this.#isStopped()) return
      try {
        if (!this.#atOnce(entry, piece)) await this.#entry(entry, piece)
      } catch (error) {
        this.#failed(entry, error)
      }
      if (this.#batch.isFull) await this.#flush()
    }
  }

  /** Those of which something is left to do, after what is there already. */
  async #pending(all: Uint32Array): Promise<number[]> {
    const entries: number[] = []
    for (const entry of all) {
      const breath = this.#breath()
      if (breath !== undefined) await breath
      if (this.#isStopped()) return []
      if (!this.#isDone(entry)) entries.push(entry)
    }
    return entries
  }

  #read(start: number, end: number): Buffer | Promise<Buffer> {
    const source = this.#source
    if (source.readInto === undefined || end - start > source.pace.piece) return source.read(start, end)
    this.#buffer ??= Buffer.allocUnsafe(source.pace.piece)
    return source.readInto(this.#buffer, start, end)
  }

  #isDone(entry: number): boolean {
    try {
      return this.#isThere(entry)
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
    this.tally.add(what, this.#nameOf(entry), detail)
  }

  #done(entry: number, outcome: number): void {
    const { control, columns } = this.#job
    control.outcomes[entry] = outcome
    this.#doneBytes += columns.size[entry]!
    this.#doneFiles++
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

  #target(entry: number): Target {
    const segments = segmentsOf(this.#job, entry, this.#decode)
    const folder = this.#folder!.open(segments, segments.length - 1)
    return { path: segments.join('/'), name: segments.at(-1)!, folder }
  }

  /** Whether nothing is left to do for it, because of what has its name. */
  #isThere(entry: number): boolean {
    const { columns, existing } = this.#job
    const { path, name, folder } = this.#target(entry)
    const stat = folder.isOurs ? undefined : there(folder.path, name)
    if (stat === undefined) return false
    if (stat.isDirectory()) throw new Blocked('a folder has its name')
    const isSame = (other: string, known: Stats) => this.#isSame(entry, folder.path, other, known)
    if (isSame(name, stat) || (existing === 'rename' && this.#beside.has(folder.path, name, path, isSame))) {
      this.#done(entry, OUTCOME.same)
      return true
    }
    const isOlder = stat.mtimeMs < modifiedMs(columns, entry)
    if (existing === 'overwrite' || existing === 'rename' || (existing === 'newer' && isOlder)) return false
    this.#left(entry, 'exists', '')
    return true
  }

  #isSame(entry: number, folder: string, name: string, stat: Stats): boolean {
    const { columns } = this.#job
    if (!stat.isFile() || stat.size !== columns.size[entry]) return false
    // Without a CRC its time must do.
    if (columns.marks[entry]! & MARK.ae2) return Math.abs(stat.mtimeMs - modifiedMs(columns, entry)) < 2000
    return hasContent(folder, name, columns.size[entry]!, columns.crc[entry]!)
  }

  /** Whether all that is needed was there: nearly always it is, and waiting costs as much as a small entry does. */
  #atOnce(entry: number, piece: Piece): boolean {
    const { columns, secret } = this.#job
    const header = columns.offset[entry]! - piece.start
    const data = dataStart(piece.bytes, header)
    if (data === undefined || isLarge(columns, entry)) return false
    const end = data + columns.compressed[entry]!
    if (end > piece.bytes.length) return false
    const stored = storedOf(columns, entry, piece.bytes.readUInt16LE(header + 10))
    if (prepare(stored) !== undefined) return false
    this.#compare(entry, piece.bytes, header)
    const bytes = piece.bytes.subarray(data, end)
    if (isSmall(columns, entry)) this.#batch.add(entry, bytes, columns.size[entry]!, columns.crc[entry]!)
    else this.#write(entry, contentOf(stored, bytes, secret))
    return true
  }

  /** Has unpacked what was gathered, and meanwhile writes what was unpacked before. */
  async #flush(): Promise<void> {
    const before = this.#unpacking
    const batch = this.#batch
    this.#unpacking = undefined
    if (batch.members.length > 0) {
      this.#unpacking = { batch, contents: batch.unpack() }
      this.#batch = this.#spare ?? new Batch()
      this.#spare = undefined
    }
    if (before === undefined) return
    this.#writeAll(before.batch, await before.contents)
    this.#spare = before.batch
  }

  /** Empties the batch. */
  #writeAll(batch: Batch, contents: readonly Buffer[] | undefined): void {
    for (const [i, member] of batch.members.entries()) {
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
    if (differs !== undefined) this.tally.add('local-differs', this.#nameOf(entry), `its header says ${differs}`)
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
    if (this.#job.output === undefined) return this.#done(entry, OUTCOME.written)
    const draft = this.#draft(entry)
    try {
      writeAll(draft.file, content)
    } catch (error) {
      dropDraft(draft)
      throw error
    }
    this.#finish(entry, draft)
  }

  async #writeParts(entry: number, parts: AsyncIterable<Buffer>): Promise<void> {
    if (this.#job.output === undefined) {
      for await (const _ of parts) if (this.#isStopped()) return
      return this.#done(entry, OUTCOME.written)
    }
    const draft = this.#draft(entry)
    try {
      for await (const part of parts) {
        writeAll(draft.file, part)
        if (this.#isStopped()) return dropDraft(draft)
      }
    } catch (error) {
      dropDraft(draft)
      throw error
    }
    this.#finish(entry, draft)
  }

  #draft(entry: number): Draft {
    const { columns } = this.#job
    const mode = modeOf(columns, entry) ?? PLAIN_MODE
    return openDraft(`${this.#shelf!.path}/${this.#drafts++}`, mode & 0o777)
  }

  #finish(entry: number, draft: Draft): void {
    const { columns, existing } = this.#job
    closeDraft(draft, modifiedMs(columns, entry) / 1000)
    try {
      const { path, name, folder } = this.#target(entry)
      if (existing === 'rename') this.#beside.put(draft.path, folder.path, name, path)
      else put(draft.path, folder.path, name)
    } catch (error) {
      rmSync(draft.path, { force: true })
      throw error
    }
    this.#done(entry, OUTCOME.written)
  }
}

/** Where an entry goes, from the folder that is extracted into. */
export function segmentsOf({ columns, strip }: Job, entry: number, decode: Decode): readonly string[] {
  const target = targetOf(nameOf(columns, entry, decode), { strip, isDosHost: isDos(columns.host[entry]!) })
  // The plan has left out all that have none.
  if (!target.ok) throw new Blocked(refusalWords[target.why])
  return target.segments
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
