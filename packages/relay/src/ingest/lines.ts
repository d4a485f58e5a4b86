/** Bytes -> lines, with little memory whatever the bytes are. */

/** A longer line is no event of coturn's. */
const LINE_MAX = 64 * 1024
const NOTHING = Buffer.alloc(0)
const NEWLINE = 10
const RETURN = 13
const BLOCK = Buffer.alloc(64 * 1024)
/** Fewer NUL bytes than this have no whole line under them. */
const HOLE_MIN = 32

/**
 * Takes a line, `[start, end)` of the bytes, or the beginning of one that is too long; valid only now. `isWhole`:
 * nothing broke it off; a hole is an empty line that is not whole.
 */
export type TakeLine = (bytes: Buffer, start: number, end: number, isWhole: boolean) => void

/** What is known of a line that has not ended yet; plain data, so that it can be kept with the place in the file. */
export interface LinesMemory {
  /** One character for each byte. */
  readonly rest: string
  /** What comes up to the next line break belongs to a line that is too long, and was told of. */
  readonly isTooLong: boolean
  /** NUL bytes that were read last. */
  readonly nuls: number
}

/**
 * Cuts bytes into lines. NUL bytes, which a truncated log has where its writer went on, break a line off; holes of any
 * size are passed over as fast as they can be read.
 */
export class Lines {
  readonly #take: TakeLine
  #rest: Buffer = NOTHING
  #isTooLong = false
  #nuls = 0

  constructor(take: TakeLine, memory?: LinesMemory) {
    this.#take = take
    if (memory === undefined) return
    this.#rest = Buffer.from(memory.rest, 'latin1')
    this.#isTooLong = memory.isTooLong
    this.#nuls = memory.nuls
  }

  /** To go on from, with the byte that follows. */
  get memory(): LinesMemory {
    return { rest: this.#rest.toString('latin1'), isTooLong: this.#isTooLong, nuls: this.#nuls }
  }

  /** Takes bytes in; they may be used again when it returns. */
  feed(chunk: Buffer): void {
    // Each is looked for once, however many of the other there are.
    let nul = next(chunk, 0, 0)
    let newline = next(chunk, NEWLINE, 0)
    for (let at = 0; at < chunk.length; ) {
      if (at === nul) {
        this.#breakOff()
        at = afterNuls(chunk, nul)
        this.#nuls += at - nul
        nul = next(chunk, 0, at)
        continue
      }
      this.#endHole()
      if (newline < at) newline = next(chunk, NEWLINE, at)
      if (newline < nul) this.#line(chunk, at, newline)
      else this.#keep(chunk.subarray(at, nul))
      at = Math.min(newline + 1, nul)
    }
  }

  /** No more comes: what is there is told as it is. */
  end(): void {
    this.#breakOff()
    this.#endHole()
  }

  #endHole(): void {
    if (this.#nuls >= HOLE_MIN) this.#take(NOTHING, 0, 0, false)
    this.#nuls = 0
  }

  #line(chunk: Buffer, start: number, end: number): void {
    if (this.#isTooLong) {
      this.#isTooLong = false
      return
    }
    if (this.#rest.length === 0) return this.#tell(chunk, start, end)
    const line = Buffer.concat([this.#rest, chunk.subarray(start, end)])
    this.#rest = NOTHING
    this.#tell(line, 0, line.length)
  }

  #tell(bytes: Buffer, start: number, end: number): void {
    const last = end > start && bytes[end - 1] === RETURN ? end - 1 : end
    this.#take(bytes, start, Math.min(last, start + LINE_MAX), true)
  }

  #keep(part: Buffer): void {
    if (this.#isTooLong) return
    this.#rest = Buffer.concat([this.#rest, part])
    if (this.#rest.length <= LINE_MAX) return
    this.#take(this.#rest, 0, LINE_MAX, true)
    this.#rest = NOTHING
    this.#isTooLong = true
  }

  #breakOff(): void {
    const rest = this.#rest
    this.#rest = NOTHING
    this.#isTooLong = false
    if (rest.length > 0) this.#take(rest, 0, rest.length, false)
  }
}

/** Where the byte stands next; the length where it does no more. */
function next(chunk: Buffer, byte: number, from: number): number {
  const at = chunk.indexOf(byte, from)
  return at < 0 ? chunk.length : at
}

/** Where the NUL bytes that begin at `at` end. */
function afterNuls(chunk: Buffer, at: number): number {
  let end = at
  while (end + BLOCK.length <= chunk.length && BLOCK.compare(chunk, end, end + BLOCK.length) === 0) end += BLOCK.length
  while (end < chunk.length && chunk[end] === 0) end++
  return end
}
