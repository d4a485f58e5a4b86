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
 * Takes a line, or the beginning of one that is too long. `isWhole`: nothing broke it off; a hole is an empty line that
 * is not whole.
 */
export type TakeLine = (line: Buffer, isWhole: boolean) => void

/**
 * Cuts bytes into lines. NUL bytes, which a truncated log has where its writer went on, break a line off; holes of any
 * size are passed over as fast as they can be read.
 */
export class Lines {
  readonly #take: TakeLine
  #rest: Buffer = NOTHING
  /** What comes up to the next line break belongs to a line that is too long, and was told of. */
  #tooLong = false
  /** NUL bytes that were read last. */
  #nuls = 0

  constructor(take: TakeLine) {
    this.#take = take
  }

  /** Bytes that are no whole line yet. */
  get pending(): number {
    return this.#rest.length
  }

  /** Takes bytes in; they may be used again when it returns. */
  feed(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) {
      if (chunk[at] === 0) {
        this.#breakOff()
        const end = afterNuls(chunk, at)
        this.#nuls += end - at
        at = end
        continue
      }
      this.#endHole()
      const newline = chunk.indexOf(NEWLINE, at)
      const end = newline < 0 ? chunk.length : newline
      const nul = chunk.subarray(at, end).indexOf(0)
      if (nul >= 0) {
        this.#keep(chunk.subarray(at, at + nul))
        at += nul
      } else {
        if (newline < 0) this.#keep(chunk.subarray(at, end))
        else this.#line(chunk.subarray(at, end))
        at = end + 1
      }
    }
  }

  /** No more comes: what is there is told as it is. */
  end(): void {
    this.#breakOff()
    this.#endHole()
  }

  #endHole(): void {
    if (this.#nuls >= HOLE_MIN) this.#take(NOTHING, false)
    this.#nuls = 0
  }

  #line(last: Buffer): void {
    if (this.#tooLong) {
      this.#tooLong = false
      return
    }
    const line = this.#rest.length === 0 ? last : Buffer.concat([this.#rest, last])
    this.#rest = NOTHING
    const end = line.at(-1) === RETURN ? line.length - 1 : line.length
    this.#take(line.subarray(0, Math.min(end, LINE_MAX)), true)
  }

  #keep(part: Buffer): void {
    if (this.#tooLong) return
    this.#rest = Buffer.concat([this.#rest, part])
    if (this.#rest.length <= LINE_MAX) return
    this.#take(this.#rest.subarray(0, LINE_MAX), true)
    this.#rest = NOTHING
    this.#tooLong = true
  }

  #breakOff(): void {
    const rest = this.#rest
    this.#rest = NOTHING
    this.#tooLong = false
    if (rest.length > 0) this.#take(rest, false)
  }
}

/** Where the NUL bytes that begin at `at` end. */
function afterNuls(chunk: Buffer, at: number): number {
  let end = at
  while (end + BLOCK.length <= chunk.length && BLOCK.compare(chunk, end, end + BLOCK.length) === 0) end += BLOCK.length
  while (end < chunk.length && chunk[end] === 0) end++
  return end
}
