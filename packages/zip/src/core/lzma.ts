/** Decodes LZMA, as lzma-specification.txt of the LZMA SDK has it: a stream of its own, or what a chunk of LZMA2 is. */
import { type Decoder, type Input, type Output, type Pause, tooMuch } from './coding.ts'
import { Damaged } from './damaged.ts'
import { Refused } from './refused.ts'

const damaged = (what: string) => new Damaged(`its data is no LZMA stream: ${what}`)

/** What one symbol takes at most, bytes. */
const SYMBOL = 21
const MIN_MATCH = 2
const EVEN = 1024

/** Where in the table of probabilities each kind begins. */
const IS_MATCH = 0
const IS_REP = IS_MATCH + (12 << 4)
const IS_REP_0 = IS_REP + 12
const IS_REP_1 = IS_REP_0 + 12
const IS_REP_2 = IS_REP_1 + 12
const IS_REP_0_LONG = IS_REP_2 + 12
const SLOTS = IS_REP_0_LONG + (12 << 4)
const SPECIAL = SLOTS + 4 * 64
const ALIGN = SPECIAL + 115
/** Of lengths: two choices, then 16 trees of 3 bits twice, and one of 8 bits. */
const LOW = 2
const MIDDLE = LOW + (16 << 3)
const HIGH = MIDDLE + (16 << 3)
const LENGTHS = ALIGN + 16
const REP_LENGTHS = LENGTHS + HIGH + 256
const LITERALS = REP_LENGTHS + HIGH + 256

/** More memory than this is not given to one entry that passes through. */
const MAX_REACH = 1 << 29

/** Throws Refused. */
export function checkReach(reach: number, size: number): void {
  if (Math.min(reach, size) <= MAX_REACH) return
  throw new Refused('method', `it needs ${Math.ceil(reach / 2 ** 20)} MB of memory to be unpacked; 7zz x may`)
}

export class Lzma {
  readonly #input: Input
  readonly #output: Output
  #probs = new Uint16Array(0)
  #literalContext = 0
  #literalMask = 0
  #positionMask = 0
  #range = 0
  #code = 0
  #state = 0
  #reps = new Uint32Array(4)
  /** Bytes since the dictionary was empty. */
  #position = 0
  /** Of a match that there was no room for. */
  #pending = 0
  hasEnded = false

  constructor(input: Input, output: Output) {
    this.#input = input
    this.#output = output
  }

  /** The byte that says which bits of context there are. */
  setProperties(byte: number): void {
    if (byte >= 9 * 5 * 5) throw damaged('its properties are wrong')
    const literalContext = byte % 9
    const literalPosition = Math.floor(byte / 9) % 5
    this.#literalContext = literalContext
    this.#literalMask = (1 << literalPosition) - 1
    this.#positionMask = (1 << Math.floor(byte / 45)) - 1
    const length = LITERALS + (0x300 << (literalContext + literalPosition))
    if (this.#probs.length !== length) this.#probs = new Uint16Array(length)
  }

  reset(): void {
    this.#probs.fill(EVEN)
    this.#state = 0
    this.#reps.fill(0)
  }

  forget(): void {
    this.#position = 0
  }

  /** Reads the five bytes that a stream or a chunk begins with. */
  begin(): void {
    const input = this.#input
    if (input.byte() !== 0) throw damaged('it does not begin with 0')
    this.#range = -1
    this.#code = 0
    for (let index = 0; index < 4; index++) this.#code = (this.#code << 8) | input.byte()
  }

  /** True when nothing of it is left, as far as can be seen. */
  isThrough(): boolean {
    if (this.#range >>> 0 < 0x1000000 && this.#input.left > 0) {
      this.#range <<= 8
      this.#code = (this.#code << 8) | this.#input.byte()
    }
    return this.#code === 0 && this.#pending === 0
  }

  /** Copies bytes that are not packed. */
  store(count: number): void {
    const { bytes, at } = this.#output
    const input = this.#input
    bytes.set(input.bytes.subarray(input.at, input.at + count), at)
    input.at += count
    this.#output.at = at + count
    this.#position += count
  }

  /** Goes on until `left` more bytes are made, or something lacks. A marker of the end sets hasEnded. */
  run(left: number): Pause {
    const output = this.#output
    const target = output.total + left
    for (;;) {
      if (this.#pending > 0) this.#repeat(Math.min(this.#pending, target - output.total))
      if (output.total === target || this.hasEnded) return 'end'
      if (output.at === output.bytes.length) return 'room'
      if (!this.#input.has(SYMBOL)) return 'input'
      this.#symbols(target)
    }
  }

  /** As many as there is room and input for, without looking each time. */
  #symbols(target: number): void {
    const output = this.#output
    const input = this.#input
    const end = Math.min(output.bytes.length, output.at + target - output.total)
    const last = input.isLast ? input.end : input.end - SYMBOL
    do {
      const position = this.#position & this.#positionMask
      if (this.#bit(IS_MATCH + (this.#state << 4) + position) === 0) this.#literal()
      else this.#match(position, end)
    } while (output.at < end && input.at <= last && this.#pending === 0 && !this.hasEnded)
  }

  #bit(index: number): number {
    const probs = this.#probs
    const prob = probs[index]!
    let range = this.#range >>> 0
    let code = this.#code >>> 0
    if (range < 0x1000000) {
      range = (range << 8) >>> 0
      code = ((code << 8) | this.#input.byte()) >>> 0
    }
    const bound = (range >>> 11) * prob
    if (code < bound) {
      this.#range = bound | 0
      this.#code = code | 0
      probs[index] = prob + ((2048 - prob) >> 5)
      return 0
    }
    this.#range = (range - bound) | 0
    this.#code = (code - bound) | 0
    probs[index] = prob - (prob >> 5)
    return 1
  }

  /** The number of `bits` bits, the highest first, each by those before it. */
  #tree(base: number, bits: number): number {
    const limit = 1 << bits
    let word = 1
    while (word < limit) word = (word << 1) | this.#bit(base + word)
    return word - limit
  }

  /** The lowest first. */
  #reverseTree(base: number, bits: number): number {
    let word = 1
    let number = 0
    for (let index = 0; index < bits; index++) {
      const bit = this.#bit(base + word)
      word = (word << 1) | bit
      number |= bit << index
    }
    return number
  }

  /** Bits that are as likely 0 as 1. */
  #direct(bits: number): number {
    let range = this.#range >>> 0
    let code = this.#code >>> 0
    let number = 0
    for (let index = 0; index < bits; index++) {
      if (range < 0x1000000) {
        range = (range << 8) >>> 0
        code = ((code << 8) | this.#input.byte()) >>> 0
      }
      range >>>= 1
      const bit = code >= range ? 1 : 0
      if (bit === 1) code -= range
      number = (number << 1) | bit
    }
    this.#range = range | 0
    this.#code = code | 0
    return number
  }

  #literal(): void {
    const output = this.#output
    const { bytes, at } = output
    const before = this.#position === 0 ? 0 : bytes[at - 1]!
    const context = this.#literalContext
    const place = ((this.#position & this.#literalMask) << context) + (before >> (8 - context))
    const base = LITERALS + place * 0x300
    let word = 1
    if (this.#state >= 7) {
      let match = bytes[at - this.#reps[0]! - 1]!
      do {
        const expected = (match >> 7) & 1
        match <<= 1
        const bit = this.#bit(base + ((1 + expected) << 8) + word)
        word = (word << 1) | bit
        if (bit !== expected) break
      } while (word < 0x100)
    }
    while (word < 0x100) word = (word << 1) | this.#bit(base + word)
    bytes[at] = word
    output.at = at + 1
    this.#position++
    this.#state = this.#state < 4 ? 0 : this.#state - (this.#state < 10 ? 3 : 6)
  }

  #match(position: number, end: number): void {
    const state = this.#state
    const reps = this.#reps
    if (this.#bit(IS_REP + state) === 0) {
      reps.copyWithin(1, 0, 3)
      const length = this.#length(LENGTHS, position)
      reps[0] = this.#distance(length)
      this.#state = state < 7 ? 7 : 10
      if (reps[0] === 0xffffffff) {
        this.hasEnded = true
        return
      }
      this.#pending = length + MIN_MATCH
    } else if (this.#isShort(position)) {
      this.#state = state < 7 ? 9 : 11
      this.#pending = 1
    } else {
      this.#pending = this.#length(REP_LENGTHS, position) + MIN_MATCH
      this.#state = state < 7 ? 8 : 11
    }
    if (reps[0]! >= this.#position) throw damaged('it refers to what comes before its beginning')
    this.#repeat(Math.min(this.#pending, end - this.#output.at))
  }

  /** Which of the last four distances it is, which becomes the first. True for one byte at the last distance. */
  #isShort(position: number): boolean {
    const state = this.#state
    const reps = this.#reps
    if (this.#bit(IS_REP_0 + state) === 0) return this.#bit(IS_REP_0_LONG + (state << 4) + position) === 0
    let which = 1
    if (this.#bit(IS_REP_1 + state) === 1) which = 2 + this.#bit(IS_REP_2 + state)
    const distance = reps[which]!
    reps.copyWithin(1, 0, which)
    reps[0] = distance
    return false
  }

  #length(base: number, position: number): number {
    if (this.#bit(base) === 0) return this.#tree(base + LOW + (position << 3), 3)
    if (this.#bit(base + 1) === 0) return 8 + this.#tree(base + MIDDLE + (position << 3), 3)
    return 16 + this.#tree(base + HIGH, 8)
  }

  #distance(length: number): number {
    const slot = this.#tree(SLOTS + (Math.min(length, 3) << 6), 6)
    if (slot < 4) return slot
    const bits = (slot >> 1) - 1
    const high = ((2 | (slot & 1)) << bits) >>> 0
    if (slot < 14) return high + this.#reverseTree(SPECIAL + high - slot, bits)
    return high + this.#direct(bits - 4) * 16 + this.#reverseTree(ALIGN, 4)
  }

  #repeat(wanted: number): void {
    const count = this.#output.copy(this.#reps[0]! + 1, wanted)
    this.#pending -= count
    this.#position += count
  }
}

/** A stream behind the header that archives give it (APPNOTE.TXT 5.8.8). */
export class LzmaStream implements Decoder {
  reach = 0
  readonly #input: Input
  readonly #output: Output
  readonly #size: number
  readonly #lzma: Lzma
  #hasBegun = false

  constructor(input: Input, output: Output, size: number) {
    this.#input = input
    this.#output = output
    this.#size = size
    this.#lzma = new Lzma(input, output)
  }

  run(): Pause {
    if (!this.#hasBegun) {
      if (!this.#input.has(2 + 2 + 5 + 5)) return 'input'
      this.#begin()
    }
    const lzma = this.#lzma
    const pause = lzma.run(this.#size - this.#output.total)
    if (pause !== 'end' || lzma.hasEnded) return pause
    return this.#finish()
  }

  #begin(): void {
    const input = this.#input
    const little = (bytes: number) => {
      let number = 0
      for (let index = 0; index < bytes; index++) number += input.byte() * 256 ** index
      return number
    }
    little(2)
    if (little(2) !== 5) throw damaged('its header is wrong')
    this.#lzma.setProperties(input.byte())
    this.reach = Math.max(4096, little(4))
    checkReach(this.reach, this.#size)
    this.#lzma.reset()
    this.#lzma.begin()
    this.#hasBegun = true
  }

  /** All is there; a marker of the end may follow, and nothing else. */
  #finish(): Pause {
    const lzma = this.#lzma
    if (!this.#input.has(SYMBOL)) return 'input'
    if (lzma.isThrough() && this.#input.left === 0) return 'end'
    if (this.#output.at === this.#output.bytes.length) return 'room'
    lzma.run(1)
    if (!lzma.hasEnded) throw tooMuch(this.#size)
    return 'end'
  }
}
