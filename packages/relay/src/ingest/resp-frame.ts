/** RESP2 requests as a Redis server reads them (redis.io, "Redis serialization protocol"), every length bounded. */

/** Longer requests are hostile: coturn's key is at most 1023 bytes and its value 512 (`hiredis_libevent2.c`). */
export const REQUEST_MAX = 16 * 1024
const ARGUMENTS_MAX = 16

const CR = 13
const LF = 10
const STAR = 42
const DOLLAR = 36
const SPACE = 32
const ZERO = 48
const PUBLISH = Uint8Array.from('publish', (letter) => letter.charCodeAt(0))

/** Reads one request after the other out of a chunk. The arguments of the present one are ranges of its bytes. */
export class RequestReader {
  /** Number of arguments of the request that `next` found. */
  count = 0
  readonly start = new Int32Array(ARGUMENTS_MAX)
  readonly end = new Int32Array(ARGUMENTS_MAX)
  /** What is wrong, once `next` has returned 'broken'. */
  problem = ''
  /** Where the next request begins. */
  at = 0
  #bytes: Uint8Array = new Uint8Array(0)
  #length = 0

  open(bytes: Uint8Array): void {
    this.#bytes = bytes
    this.#length = bytes.length
    this.at = 0
  }

  /** 'request': one was found; 'partial': the rest has not come yet; 'broken': nothing after this can be read. */
  next(): 'request' | 'partial' | 'broken' {
    this.count = 0
    const from = this.at
    if (from >= this.#length) return 'partial'
    const result = this.#bytes[from] === STAR ? this.#array(from + 1) : this.#inline(from)
    const length = (result === 'request' ? this.at : this.#length) - from
    // The same limit whether it came in one piece or in many.
    if (result !== 'broken' && length > REQUEST_MAX) return this.#broken('request too long')
    return result
  }

  /** True for PUBLISH, in any case, with its two arguments. */
  isPublish(): boolean {
    const start = this.start[0]!
    if (this.count !== 3 || this.end[0]! - start !== PUBLISH.length) return false
    for (let k = 0; k < PUBLISH.length; k++) if ((this.#bytes[start + k]! | 32) !== PUBLISH[k]) return false
    return true
  }

  /** Argument `i` of the present request, each byte a character. */
  text(i: number): string {
    const { buffer, byteOffset } = this.#bytes
    return Buffer.from(buffer, byteOffset + this.start[i]!, this.end[i]! - this.start[i]!).toString('latin1')
  }

  #broken(problem: string): 'broken' {
    this.problem = problem
    return 'broken'
  }

  /** Where `#number` stopped: behind the line's end. */
  #after = 0

  /** The number on the line at `at`: -1 when its end has not come yet, -2 when it is no number or too long. */
  #number(at: number): number {
    const bytes = this.#bytes
    let value = 0
    let i = at
    for (; i < this.#length; i++) {
      const digit = bytes[i]! - ZERO
      if (digit < 0 || digit > 9) break
      value = value * 10 + digit
      if (i - at > 8) return -2
    }
    if (i >= this.#length) return -1
    if (bytes[i] !== CR || i === at) return -2
    if (i + 1 >= this.#length) return -1
    if (bytes[i + 1] !== LF) return -2
    this.#after = i + 2
    return value
  }

  #array(from: number): 'request' | 'partial' | 'broken' {
    const count = this.#number(from)
    if (count === -1) return 'partial'
    if (count < 0 || count > ARGUMENTS_MAX) return this.#broken('invalid multibulk length')
    let at = this.#after
    for (let i = 0; i < count; i++) {
      const result = this.#bulk(at, i)
      if (result !== 'request') return result
      at = this.#after
    }
    this.count = count
    this.at = at
    return 'request'
  }

  /** Argument `i`, whose `$` should stand at `at`; leaves `#after` behind it. */
  #bulk(at: number, i: number): 'request' | 'partial' | 'broken' {
    const bytes = this.#bytes
    if (at >= this.#length) return 'partial'
    if (bytes[at] !== DOLLAR) return this.#broken("expected '$'")
    const length = this.#number(at + 1)
    if (length === -1) return 'partial'
    if (length < 0 || length > REQUEST_MAX) return this.#broken('invalid bulk length')
    const start = this.#after
    const next = start + length + 2
    if (next > this.#length) return 'partial'
    if (bytes[next - 2] !== CR || bytes[next - 1] !== LF) return this.#broken('bulk without its end')
    this.start[i] = start
    this.end[i] = start + length
    this.#after = next
    return 'request'
  }

  /** What a person types into `nc`: words on a line. */
  #inline(from: number): 'request' | 'partial' | 'broken' {
    const bytes = this.#bytes
    const lineEnd = bytes.indexOf(LF, from)
    if (lineEnd < 0) return 'partial'
    if (lineEnd - from > REQUEST_MAX) return this.#broken('request too long')
    const end = lineEnd > from && bytes[lineEnd - 1] === CR ? lineEnd - 1 : lineEnd
    for (let at = from; at < end; ) {
      if (bytes[at] === SPACE) at++
      else {
        if (this.count === ARGUMENTS_MAX) return this.#broken('too many arguments')
        let stop = at
        while (stop < end && bytes[stop] !== SPACE) stop++
        this.start[this.count] = at
        this.end[this.count++] = stop
        at = stop
      }
    }
    this.at = lineEnd + 1
    return 'request'
  }
}
