/** Counts the replies in what a Redis sends (RESP 2), without keeping any of it. */

const RETURN = 13
const [STRING, LIST, ERROR] = ['$', '*', '-'].map((letter) => letter.charCodeAt(0))

export class Replies {
  /** Replies that began with an error. */
  errors = 0
  /** Of the last reply that was a list the first string, such as the cursor of SCAN; only when it is asked for. */
  first = ''
  readonly #wantsFirst: boolean
  /** Bytes of a string, with its end, that are still to come. */
  #skip = 0
  /** A line that was cut. */
  #rest = ''
  /** Items until the reply is whole. */
  #left = 0
  #isFirst = false

  constructor(wantsFirst: boolean) {
    this.#wantsFirst = wantsFirst
  }

  /** Returns how many replies end in the chunk. */
  take(chunk: Buffer): number {
    let whole = 0
    let at = 0
    while (at < chunk.length) {
      const skipped = Math.min(this.#skip, chunk.length - at)
      at += skipped
      this.#skip -= skipped
      if (skipped > 0 && this.#skip === 0) whole += this.#itemDone()
      if (at >= chunk.length) break
      const end = chunk.indexOf(10, at)
      if (end < 0) {
        this.#rest += chunk.toString('latin1', at)
        break
      }
      whole += this.#line(chunk, at, end)
      at = end + 1
    }
    return whole
  }

  #line(chunk: Buffer, at: number, end: number): number {
    const isCut = this.#rest !== ''
    const line = isCut ? this.#rest + chunk.toString('latin1', at, end) : ''
    this.#rest = ''
    const kind = isCut ? line.charCodeAt(0) : chunk[at]
    if (this.#isFirst && kind !== STRING) {
      this.first = (isCut ? line : chunk.toString('latin1', at, end)).replace('\r', '')
      this.#isFirst = false
      return this.#itemDone()
    }
    const isTop = this.#left === 0
    if (isTop) this.#left = 1
    if (kind === ERROR) this.errors++
    if (kind !== STRING && kind !== LIST) return this.#itemDone()
    const length = isCut ? Number.parseInt(line.slice(1), 10) : readNumber(chunk, at + 1)
    if (kind === LIST) {
      this.#left += Math.max(0, length)
      this.#isFirst = this.#wantsFirst && isTop && length > 0
      return this.#itemDone()
    }
    if (length < 0) return this.#itemDone()
    // What is asked for is a line of its own.
    if (!this.#isFirst) this.#skip = length + 2
    return 0
  }

  #itemDone(): number {
    this.#left--
    return this.#left === 0 ? 1 : 0
  }
}

function readNumber(chunk: Buffer, from: number): number {
  if (chunk[from] === ERROR) return -1
  let value = 0
  for (let i = from; i < chunk.length && chunk[i] !== RETURN; i++) value = value * 10 + chunk[i]! - 48
  return value
}
