/**
 * What a Redis says to one who subscribes (RESP2), read where it lies: a socket puts its bytes into `room`, and what
 * was published is found as ranges of `slab`, without a string. Memory is bounded whatever comes.
 */

/** Longer words are passed over: coturn's channel has at most 1023 bytes, its message 512. */
export const WORD_MAX = 16 * 1024
/** Holds the longest message that is not passed over, and leaves a socket room to read much at once. */
const SLAB = 256 * 1024
const LINE_MAX = 1024
const WORDS_MAX = 8

const CR = 13
const LF = 10
const DOLLAR = 36
const STAR = 42
const COLON = 58
const ZERO = 48
const PATTERN = 'turn/*'
export const SUBSCRIBE = ['PSUBSCRIBE', PATTERN]
/** How nearly everything begins that comes. */
const PUSH = Buffer.from(`*4\r\n$8\r\npmessage\r\n$${PATTERN.length}\r\n${PATTERN}\r\n$`)

/**
 * 'event': something was published. 'long': so was something that is longer than any event. 'reply': the answer to a
 * command. 'partial': the rest has not come yet. 'broken': this is not how a Redis speaks, and nothing after it is
 * read.
 */
export type Found = 'event' | 'long' | 'reply' | 'partial' | 'broken'

const PARTIAL = -1
const BROKEN = -2

export class PushReader {
  readonly slab = Buffer.allocUnsafeSlow(SLAB)
  /** Of the present event. */
  channelStart = 0
  channelEnd = 0
  textStart = 0
  textEnd = 0
  /** Of the present reply, each byte a character; an error's word begins with `-`. */
  words: string[] = []
  #at = 0
  #filled = 0
  /** Where a number stopped: behind its line's end. */
  #after = 0
  /** What is still to be passed over: bytes of the present word, and words after it. */
  #longBytes = 0
  #longWords = 0

  /** Where the next bytes may be put; never empty once `next` has said 'partial'. */
  room(): Uint8Array {
    if (this.#at > 0) {
      this.slab.copyWithin(0, this.#at, this.#filled)
      this.#filled -= this.#at
      this.#at = 0
    }
    return this.slab.subarray(this.#filled)
  }

  /** So many bytes were put there. */
  took(bytes: number): void {
    this.#filled += bytes
  }

  /** The slab may be used again before the next call. */
  next(): Found {
    if (this.#longBytes > 0 || this.#longWords > 0) return this.#passOver()
    if (this.#isPush()) return this.#push()
    return this.#careful()
  }

  #isPush(): boolean {
    const at = this.#at
    if (this.#filled - at < PUSH.length) return false
    for (let i = 0; i < PUSH.length; i++) if (this.slab[at + i] !== PUSH[i]) return false
    return true
  }

  #push(): Found {
    const { slab } = this
    const channel = this.#number(this.#at + PUSH.length)
    if (channel < 0) return channel === PARTIAL ? 'partial' : 'broken'
    const channelStart = this.#after
    const channelEnd = channelStart + channel
    if (channel > WORD_MAX) return this.#startLong(4)
    if (channelEnd + 2 >= this.#filled) return 'partial'
    if (!this.#endsLine(channelEnd) || slab[channelEnd + 2] !== DOLLAR) return 'broken'
    const text = this.#number(channelEnd + 3)
    if (text < 0) return text === PARTIAL ? 'partial' : 'broken'
    if (text > WORD_MAX) return this.#startLong(4)
    const textEnd = this.#after + text
    if (textEnd + 2 > this.#filled) return 'partial'
    if (!this.#endsLine(textEnd)) return 'broken'
    this.channelStart = channelStart
    this.channelEnd = channelEnd
    this.textStart = this.#after
    this.textEnd = textEnd
    this.#at = textEnd + 2
    return 'event'
  }

  #endsLine(at: number): boolean {
    return this.slab[at] === CR && this.slab[at + 1] === LF
  }

  /** The number on the line at `at`. */
  #number(at: number): number {
    const { slab } = this
    let value = 0
    let i = at
    for (; i < this.#filled; i++) {
      const digit = slab[i]! - ZERO
      if (digit < 0 || digit > 9) break
      value = value * 10 + digit
      if (i - at > 9) return BROKEN
    }
    if (i >= this.#filled) return PARTIAL
    if (slab[i] !== CR || i === at) return BROKEN
    if (i + 1 >= this.#filled) return PARTIAL
    if (slab[i + 1] !== LF) return BROKEN
    this.#after = i + 2
    return value
  }

  /** Anything but a plain push. */
  #careful(): Found {
    const at = this.#at
    if (at >= this.#filled) return 'partial'
    const type = this.slab[at]!
    if (type === STAR) return this.#array(at)
    return type === DOLLAR ? 'broken' : this.#line(at)
  }

  /** `+OK`, `-ERR ...`, `:1`. */
  #line(at: number): Found {
    const type = String.fromCharCode(this.slab[at]!)
    if (!'+-:'.includes(type)) return 'broken'
    const end = this.slab.subarray(at, Math.min(this.#filled, at + LINE_MAX)).indexOf(LF)
    if (end < 0) return this.#filled - at >= LINE_MAX ? 'broken' : 'partial'
    const text = this.slab.toString('latin1', at, at + end).trimEnd()
    this.words = [type === '-' ? text : text.slice(1)]
    this.#at = at + end + 1
    return 'reply'
  }

  #array(from: number): Found {
    const count = this.#number(from + 1)
    if (count < 0) return count === PARTIAL ? 'partial' : 'broken'
    if (count === 0 || count > WORDS_MAX) return 'broken'
    const words: string[] = []
    for (let i = 0; i < count; i++) {
      const missing = this.#word(words)
      if (missing !== undefined) return missing === 'long' ? this.#startLong(count) : missing
    }
    this.#at = this.#after
    this.words = words
    return 'reply'
  }

  /** The word of an array behind what was read last; undefined: it is read. */
  #word(words: string[]): Found | undefined {
    const at = this.#after
    if (at >= this.#filled) return 'partial'
    const type = this.slab[at]
    const number = this.#number(at + 1)
    if (number < 0) return number === PARTIAL ? 'partial' : 'broken'
    if (type === COLON) {
      words.push(`${number}`)
      return undefined
    }
    if (type !== DOLLAR) return 'broken'
    if (number > WORD_MAX) return 'long'
    const end = this.#after + number
    if (end + 2 > this.#filled) return 'partial'
    if (!this.#endsLine(end)) return 'broken'
    words.push(this.slab.toString('latin1', this.#after, end))
    this.#after = end + 2
    return undefined
  }

  /** The array that begins here has so many words, and one is too long. */
  #startLong(words: number): Found {
    this.#number(this.#at + 1)
    this.#at = this.#after
    this.#longWords = words
    return this.#passOver()
  }

  #passOver(): Found {
    for (;;) {
      const bytes = Math.min(this.#longBytes, this.#filled - this.#at)
      this.#longBytes -= bytes
      this.#at += bytes
      if (this.#longBytes > 0) return 'partial'
      if (this.#longWords === 0) return 'long'
      if (this.#at >= this.#filled) return 'partial'
      const type = this.slab[this.#at]
      const length = this.#number(this.#at + 1)
      if (length === PARTIAL) return 'partial'
      if (length < 0 || (type !== DOLLAR && type !== COLON)) return 'broken'
      this.#longBytes = type === DOLLAR ? length + 2 : 0
      this.#longWords--
      this.#at = this.#after
    }
  }
}
