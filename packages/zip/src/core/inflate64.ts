/**
 * Deflate64, APPNOTE.TXT method 9: Deflate (RFC 1951) with a window of 64 KB, matches of up to 65,538 bytes and two
 * more distances. Windows makes it of files of more than 2 GB; zlib does not read it.
 */
import { type Decoder, ENDS_EARLY, type Input, type Output, type Pause } from './coding.ts'
import { Damaged } from './damaged.ts'

export const REACH_64 = 65_536

/** A block's header has at most 17 bits, 19 lengths of 3 bits and 318 lengths of 14 bits. */
const HEADER_BYTES = 1024
/** A match has at most 15 + 16 + 15 + 14 bits, and four bytes may have been read ahead. */
const MATCH_BYTES = 16

const LENGTH_BASE = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 3,
]
const LENGTH_EXTRA = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 16]
/** In which order the lengths of the codes for lengths come. */
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

const QUICK_BITS = 10
const END_OF_BLOCK = 256

/** A Huffman code. */
class Code {
  /** By the next bits: symbol << 4 | its length; 0 where the length is more than QUICK_BITS, or nothing is meant. */
  readonly quick = new Uint16Array(1 << QUICK_BITS)
  readonly #counts = new Uint16Array(16)
  readonly #symbols: Uint16Array

  constructor(lengths: Uint8Array) {
    const counts = this.#counts
    for (const length of lengths) counts[length]!++
    counts[0] = 0
    const starts = new Uint16Array(17)
    const codes = new Uint16Array(17)
    let left = 1
    for (let length = 1; length < 16; length++) {
      left = left * 2 - counts[length]!
      if (left < 0) throw new Damaged('its data is no Deflate64 stream: a code of it has too many words')
      starts[length + 1] = starts[length]! + counts[length]!
      codes[length + 1] = (codes[length]! + counts[length]!) << 1
    }
    this.#symbols = new Uint16Array(lengths.length)
    for (const [symbol, length] of lengths.entries()) {
      if (length === 0) continue
      this.#symbols[starts[length]!++] = symbol
      const code = codes[length]!++
      if (length <= QUICK_BITS) this.#fill(symbol, length, code)
    }
  }

  #fill(symbol: number, length: number, code: number): void {
    let reversed = 0
    for (let bit = 0; bit < length; bit++) reversed |= ((code >> bit) & 1) << (length - 1 - bit)
    const step = 1 << length
    for (let index = reversed; index < 1 << QUICK_BITS; index += step) this.quick[index] = (symbol << 4) | length
  }

  /** The same as `quick` for any length, of the next 15 bits. */
  slow(bits: number): number {
    let code = 0
    let first = 0
    let index = 0
    for (let length = 1; length < 16; length++) {
      code |= (bits >>> (length - 1)) & 1
      const count = this.#counts[length]!
      if (code - count < first) return (this.#symbols[index + code - first]! << 4) | length
      index += count
      first = (first + count) << 1
      code <<= 1
    }
    throw new Damaged('its data is no Deflate64 stream: it has a word that its code has not')
  }
}

function fixedCodes(): [Code, Code] {
  const lengths = new Uint8Array(288).fill(8, 0, 144).fill(9, 144, 256).fill(7, 256, 280).fill(8, 280)
  return [new Code(lengths), new Code(new Uint8Array(32).fill(5))]
}

let fixed: [Code, Code] | undefined

export class Inflate64 implements Decoder {
  readonly reach = 65_536
  readonly #input: Input
  readonly #output: Output
  #hold = 0
  #bits = 0
  #where: 'header' | 'stored' | 'codes' | 'end' = 'header'
  #isFinal = false
  /** Bytes left of a stored block. */
  #stored = 0
  #literals!: Code
  #distances!: Code
  /** A match that there was no room for. */
  #length = 0
  #distance = 0

  constructor(input: Input, output: Output) {
    this.#input = input
    this.#output = output
  }

  run(): Pause {
    for (;;) {
      if (this.#output.at === this.#output.bytes.length) return 'room'
      if (this.#where === 'end') return 'end'
      if (!this.#input.has(this.#where === 'header' ? HEADER_BYTES : MATCH_BYTES)) return 'input'
      if (this.#where === 'header') this.#readHeader()
      else if (this.#where === 'stored') this.#readStored()
      else this.#readCodes()
    }
  }

  #take(count: number): number {
    while (this.#bits < count) {
      this.#hold |= this.#input.byte() << this.#bits
      this.#bits += 8
    }
    const value = this.#hold & ((1 << count) - 1)
    this.#hold >>>= count
    this.#bits -= count
    return value
  }

  #symbol(code: Code): number {
    const { bytes } = this.#input
    // What is read behind the end is noticed when it is used up.
    while (this.#bits < 15) {
      this.#hold |= (bytes[this.#input.at++] ?? 0) << this.#bits
      this.#bits += 8
    }
    const entry = code.quick[this.#hold & ((1 << QUICK_BITS) - 1)]! || code.slow(this.#hold)
    this.#hold >>>= entry & 15
    this.#bits -= entry & 15
    this.#checkEnd()
    return entry >>> 4
  }

  #checkEnd(): void {
    if (this.#input.at - (this.#bits >> 3) > this.#input.end) throw new Damaged(ENDS_EARLY)
  }

  #endBlock(): void {
    this.#where = this.#isFinal ? 'end' : 'header'
    // Whole bytes that were read ahead belong to whoever comes next.
    this.#input.at -= this.#bits >> 3
    this.#bits &= 7
    this.#hold &= (1 << this.#bits) - 1
  }

  #readHeader(): void {
    this.#isFinal = this.#take(1) === 1
    const kind = this.#take(2)
    if (kind === 0) this.#startStored()
    else if (kind === 3) throw new Damaged('its data is no Deflate64 stream: a block of it is of no kind')
    else {
      fixed ??= fixedCodes()
      const [literals, distances] = kind === 1 ? fixed : this.#readLengths()
      this.#literals = literals
      this.#distances = distances
      this.#where = 'codes'
    }
  }

  #startStored(): void {
    this.#hold = 0
    this.#bits = 0
    const length = this.#take(16)
    if ((length ^ this.#take(16)) !== 0xffff) {
      throw new Damaged('its data is no Deflate64 stream: a stored block of it has no length')
    }
    this.#stored = length
    this.#where = 'stored'
  }

  #readStored(): void {
    const input = this.#input
    const output = this.#output
    const count = Math.min(this.#stored, input.left, output.bytes.length - output.at)
    output.bytes.set(input.bytes.subarray(input.at, input.at + count), output.at)
    input.at += count
    output.at += count
    this.#stored -= count
    if (this.#stored === 0) this.#endBlock()
    else if (input.isLast && input.left === 0) throw new Damaged(ENDS_EARLY)
  }

  #readLengths(): [Code, Code] {
    const literals = this.#take(5) + 257
    const distances = this.#take(5) + 1
    const count = this.#take(4) + 4
    const small = new Uint8Array(19)
    for (const place of ORDER.slice(0, count)) small[place] = this.#take(3)
    const code = new Code(small)
    const lengths = new Uint8Array(literals + distances)
    for (let index = 0; index < lengths.length; ) index = this.#readLength(code, lengths, index)
    return [new Code(lengths.subarray(0, literals)), new Code(lengths.subarray(literals))]
  }

  #readLength(code: Code, lengths: Uint8Array, index: number): number {
    const symbol = this.#symbol(code)
    if (symbol < 16) {
      lengths[index] = symbol
      return index + 1
    }
    const previous = symbol === 16 ? lengths[index - 1] : 0
    const repeats = symbol === 16 ? this.#take(2) + 3 : symbol === 17 ? this.#take(3) + 3 : this.#take(7) + 11
    if (previous === undefined || index + repeats > lengths.length) {
      throw new Damaged('its data is no Deflate64 stream: a code of it has wrong lengths')
    }
    lengths.fill(previous, index, index + repeats)
    return index + repeats
  }

  /** The loop that all time is spent in: until the block ends, or input or room lacks. */
  #readCodes(): void {
    const input = this.#input
    const output = this.#output
    const limit = input.isLast ? Number.POSITIVE_INFINITY : input.end - MATCH_BYTES
    while (output.at < output.bytes.length && input.at <= limit) {
      if (this.#length > 0) {
        this.#length -= output.copy(this.#distance, this.#length)
        continue
      }
      const symbol = this.#symbol(this.#literals)
      if (symbol < END_OF_BLOCK) output.bytes[output.at++] = symbol
      else if (symbol === END_OF_BLOCK) return this.#endBlock()
      else this.#readMatch(symbol - 257)
    }
  }

  #readMatch(code: number): void {
    const base = LENGTH_BASE[code]
    if (base === undefined) throw new Damaged('its data is no Deflate64 stream: it has a length that there is not')
    this.#length = base + this.#take(LENGTH_EXTRA[code]!)
    const symbol = this.#symbol(this.#distances)
    // Two codes each for every number of further bits, from the fourth on.
    const extra = symbol < 4 ? 0 : (symbol >> 1) - 1
    const start = symbol < 4 ? symbol : (2 + (symbol & 1)) << extra
    this.#distance = start + this.#take(extra) + 1
  }
}
