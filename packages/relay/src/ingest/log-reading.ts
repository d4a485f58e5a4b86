/** A file of a log that is being read, plain or packed, and the spot up to which it was read. */
import { hash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { bytesOf } from './bytes.ts'
import { describe, type LogFile } from './log-files.ts'

/** So many bytes, and a hash of them. */
export type Mark = readonly [length: number, hash: string]

/** Up to where a file was read. */
export interface Spot {
  /** Bytes that were read, unpacked. */
  readonly offset: number
  /** The first and the last of them: by these the file is known again. */
  readonly head: Mark
  readonly tail: Mark
}

export interface Reading {
  /** As it was when it was opened. */
  readonly file: LogFile
  readonly spot: Spot
  /** It is packed and breaks off: what follows is lost. */
  readonly isBroken: boolean
  /** Goes on to the spot, from the beginning. False: it is not of this file. */
  goTo(spot: Spot): Promise<boolean>
  /** What follows, valid until the next read; empty: nothing now. Undefined: what was read stands there no more. */
  read(): Promise<Buffer | undefined>
  /** Bytes that are there and were not read, as far as that is known. */
  left(): Promise<number>
  close(): Promise<void>
}

const HEAD = 1024
const TAIL = 256
const NOTHING = Buffer.alloc(0)

const markOf = (bytes: Buffer): Mark => [bytes.length, hash('sha256', bytes, 'hex').slice(0, 16)]

/** Whether the bytes begin as marked. */
const isMarked = (bytes: Buffer, [length, text]: Mark): boolean =>
  bytes.length >= length && markOf(bytes.subarray(0, length))[1] === text

/** Opens a file at its beginning, to be read in pieces of so many bytes. Rejects with the system's error. */
export async function openLog(path: string, pieceBytes: number): Promise<Reading> {
  const handle = await open(path)
  try {
    const file = describe(path, await handle.stat({ bigint: true }))
    const magic = Buffer.alloc(2)
    await handle.read(magic, 0, 2, 0)
    if (magic[0] !== 0x1f || magic[1] !== 0x8b) return new PlainReading(handle, file, pieceBytes)
    await handle.close()
    return new PackedReading(file)
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** What was read of a file. */
class Trace {
  offset = 0
  tail: Buffer = NOTHING
  #head: Buffer = NOTHING
  #headMark = markOf(NOTHING)

  add(bytes: Buffer): void {
    this.skipTo(this.offset + bytes.length, Buffer.concat([this.tail, bytes.subarray(-TAIL)]))
    if (this.#head.length < HEAD) this.begin(Buffer.concat([this.#head, bytes.subarray(0, HEAD - this.#head.length)]))
  }

  begin(head: Buffer): void {
    this.#head = head
    this.#headMark = markOf(head)
  }

  /** `last`: bytes in front of the offset. */
  skipTo(offset: number, last: Buffer): void {
    this.offset = offset
    this.tail = last.subarray(-TAIL)
  }

  get spot(): Spot {
    return { offset: this.offset, head: this.#headMark, tail: markOf(this.tail) }
  }
}

class PlainReading implements Reading {
  readonly file: LogFile
  readonly isBroken = false
  readonly #handle: FileHandle
  readonly #buffer: Buffer
  readonly #trace = new Trace()

  constructor(handle: FileHandle, file: LogFile, pieceBytes: number) {
    this.#handle = handle
    this.file = file
    this.#buffer = Buffer.allocUnsafe(TAIL + pieceBytes)
  }

  get spot(): Spot {
    return this.#trace.spot
  }

  async goTo({ offset, head, tail }: Spot): Promise<boolean> {
    const first = await this.#at(0, Math.min(HEAD, offset))
    const last = await this.#at(Math.max(0, offset - TAIL), Math.min(TAIL, offset))
    this.#trace.begin(first)
    this.#trace.skipTo(offset, last)
    return isMarked(first, head) && last.length === tail[0] && isMarked(last, tail)
  }

  async #at(offset: number, length: number): Promise<Buffer> {
    const bytes = Buffer.alloc(length)
    const { bytesRead } = await this.#handle.read(bytes, 0, length, offset)
    return bytes.subarray(0, bytesRead)
  }

  /** What was read last is read again with it: that somebody cut the file shows by it, at whatever moment. */
  async read(): Promise<Buffer | undefined> {
    const { tail, offset } = this.#trace
    const length = this.#buffer.length - TAIL + tail.length
    const { bytesRead } = await this.#handle.read(this.#buffer, 0, length, offset - tail.length)
    if (bytesRead < tail.length || tail.compare(this.#buffer, 0, tail.length) !== 0) return undefined
    const bytes = this.#buffer.subarray(tail.length, bytesRead)
    if (bytes.length > 0) this.#trace.add(bytes)
    return bytes
  }

  async left(): Promise<number> {
    return Math.max(0, (await this.#handle.stat()).size - this.#trace.offset)
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}

class PackedReading implements Reading {
  readonly file: LogFile
  isBroken = false
  readonly #trace = new Trace()
  readonly #chunks: AsyncGenerator<Buffer>
  /** Unpacked, and not given yet. */
  #rest: Buffer = NOTHING

  constructor(file: LogFile) {
    this.file = file
    this.#chunks = bytesOf(file.path, () => {
      this.isBroken = true
    })
  }

  get spot(): Spot {
    return this.#trace.spot
  }

  async #head(): Promise<Buffer> {
    while (this.#rest.length < HEAD) {
      const next = await this.#chunks.next()
      if (next.done) break
      this.#rest = Buffer.concat([this.#rest, next.value])
    }
    return this.#rest.subarray(0, HEAD)
  }

  async goTo({ offset, head, tail }: Spot): Promise<boolean> {
    if (!isMarked(await this.#head(), head)) return false
    while (this.#trace.offset < offset) {
      const bytes = await this.read(offset - this.#trace.offset)
      if (bytes.length === 0) return false
    }
    return isMarked(this.#trace.tail, tail)
  }

  async read(most = Number.POSITIVE_INFINITY): Promise<Buffer> {
    if (this.#rest.length === 0) this.#rest = (await this.#chunks.next()).value ?? NOTHING
    const bytes = this.#rest.subarray(0, most)
    this.#rest = this.#rest.subarray(bytes.length)
    if (bytes.length > 0) this.#trace.add(bytes)
    return bytes
  }

  async left(): Promise<number> {
    return this.#rest.length
  }

  async close(): Promise<void> {
    await this.#chunks.return(undefined)
  }
}
