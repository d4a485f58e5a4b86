/** Decodes bzip2, which has no specification but bzip2-1.0.8/decompress.c. */
import { type Decoder, ENDS_EARLY, type Input, type Output, type Pause, tooMuch } from './coding.ts'
import { Damaged } from './damaged.ts'

const damaged = (what: string) => new Damaged(`its data is no bzip2 stream: ${what}`)

/** So many symbols are coded by one table. */
const GROUP = 50
const LONGEST = 20
/** The longest words that are found in one step, bits. */
const QUICK = 10
/** The larger of the two symbols that repeat. */
const RUN_B = 1

/** A prefix code, longest words last. */
class Code {
  /** By the next QUICK bits: symbol and length; 0 for longer words. */
  readonly quick = new Uint16Array(1 << QUICK)
  /** By length: one more than the last word of it, filled up to LONGEST bits. */
  readonly limits = new Int32Array(LONGEST + 2)
  /** By length: what to take from a word to find its symbol. */
  readonly bases = new Int32Array(LONGEST + 2)
  readonly symbols: Uint16Array

  constructor(lengths: Uint8Array) {
    this.symbols = new Uint16Array(lengths.length)
    let word = 0
    let count = 0
    for (let length = 1; length <= LONGEST; length++) {
      this.bases[length] = word - count
      for (let symbol = 0; symbol < lengths.length; symbol++) {
        if (lengths[symbol] !== length) continue
        this.symbols[count++] = symbol
        if (length <= QUICK) this.#addQuick(word, length, symbol)
        word++
      }
      if (word > 1 << length) throw damaged('a code of it has too many words')
      this.limits[length] = word << (LONGEST - length)
      word <<= 1
    }
  }

  #addQuick(word: number, length: number, symbol: number): void {
    const from = word << (QUICK - length)
    this.quick.fill((symbol << 5) | length, from, from + (1 << (QUICK - length)))
  }
}

/** The byte at a place, which is then the latest. */
function toFront(recent: Uint8Array, place: number): number {
  const byte = recent[place]!
  if (place < 16) for (let index = place; index > 0; index--) recent[index] = recent[index - 1]!
  else recent.copyWithin(1, 0, place)
  recent[0] = byte
  return byte
}

export class Bunzip2 implements Decoder {
  readonly reach = 0
  readonly #input: Input
  readonly #output: Output
  readonly #size: number
  #where: 'header' | 'block' | 'text' | 'end' = 'header'
  /** 1 to 9: how large blocks are at most. */
  #level = 9
  /** Bits that were read and not used: the lowest #count of them. */
  #bits = 0
  #count = 0
  /** Of the block: its bytes in order of what follows them, and above them where each is followed by the next. */
  #block = new Uint32Array(0)
  #at = 0
  #left = 0
  /** Of the text: the last byte, how often it came, and how often it comes again without being told. */
  #last = -1
  #run = 0
  #repeat = 0

  constructor(input: Input, output: Output, size: number) {
    this.#input = input
    this.#output = output
    this.#size = size
  }

  run(): Pause {
    for (;;) {
      if (this.#where === 'end') return 'end'
      if (this.#where === 'text') {
        if (!this.#write()) return 'room'
        this.#where = 'block'
      }
      // A block is decoded at once: when there is as much as one can be, or all.
      if (!this.#input.has(this.#level * 250_000 + 30_000)) return 'input'
      if (this.#where === 'header') this.#readHeader()
      this.#readBlock()
    }
  }

  #take(count: number): number {
    while (this.#count < count) {
      this.#bits = (this.#bits << 8) | this.#input.byte()
      this.#count += 8
    }
    this.#count -= count
    return (this.#bits >>> this.#count) & ((1 << count) - 1)
  }

  #readHeader(): void {
    const level = this.#take(24) === 0x425a68 ? this.#take(8) - 0x30 : 0
    if (level < 1 || level > 9) throw damaged('it does not begin with BZh')
    this.#level = level
    this.#where = 'block'
  }

  #readBlock(): void {
    const kind = this.#take(24) * 2 ** 24 + this.#take(24)
    // The CRC is not looked at: the archive has its own.
    this.#take(16)
    this.#take(16)
    if (kind === 0x177245385090) {
      this.#where = 'end'
      return
    }
    if (kind !== 0x314159265359) throw damaged('a block of it has no beginning')
    if (this.#take(1) === 1) throw damaged('it is randomized, as nothing does any more')
    const origin = this.#take(24)
    const symbols = this.#readSymbols()
    const groups = this.#take(3)
    if (groups < 2 || groups > 6) throw damaged('a block of it has a wrong number of codes')
    const selectors = this.#readSelectors(groups)
    const codes = Array.from({ length: groups }, () => new Code(this.#readLengths(symbols.length + 2)))
    const length = this.#readBytes(symbols, selectors, codes)
    if (origin >= length) throw damaged('a block of it has no first byte')
    this.#sort(length, origin)
  }

  /** The bytes that occur. */
  #readSymbols(): Uint8Array {
    const used = this.#take(16)
    const symbols: number[] = []
    for (let high = 0; high < 16; high++) {
      if ((used & (0x8000 >> high)) === 0) continue
      const low = this.#take(16)
      for (let index = 0; index < 16; index++) if (low & (0x8000 >> index)) symbols.push(high * 16 + index)
    }
    if (symbols.length === 0) throw damaged('a block of it has no bytes')
    return Uint8Array.from(symbols)
  }

  /** Which code is whose, group by group. */
  #readSelectors(groups: number): Uint8Array {
    const selectors = new Uint8Array(this.#take(15))
    if (selectors.length === 0) throw damaged('a block of it has no groups')
    const recent = Array.from({ length: groups }, (_, index) => index)
    for (let index = 0; index < selectors.length; index++) {
      let place = 0
      while (this.#take(1) === 1) if (++place >= groups) throw damaged('a group of it has a code that there is not')
      const [selector] = recent.splice(place, 1)
      recent.unshift(selector!)
      selectors[index] = selector!
    }
    return selectors
  }

  #readLengths(count: number): Uint8Array {
    const lengths = new Uint8Array(count)
    let length = this.#take(5)
    for (let index = 0; index < count; index++) {
      for (;;) {
        if (length < 1 || length > LONGEST) throw damaged('a code of it has wrong lengths')
        if (this.#take(1) === 0) break
        length += this.#take(1) === 0 ? 1 : -1
      }
      lengths[index] = length
    }
    return lengths
  }

  #word(code: Code): number {
    const input = this.#input
    while (this.#count < LONGEST) {
      // Behind the end there may be nothing, and then nothing of it is used.
      this.#bits = (this.#bits << 8) | (input.at < input.end ? input.bytes[input.at]! : 0)
      input.at++
      this.#count += 8
    }
    const next = (this.#bits >>> (this.#count - LONGEST)) & ((1 << LONGEST) - 1)
    const quick = code.quick[next >>> (LONGEST - QUICK)]!
    if (quick !== 0) {
      this.#count -= quick & 31
      return quick >>> 5
    }
    let length = 1
    while (length <= LONGEST && next >= code.limits[length]!) length++
    if (length > LONGEST) throw this.#wrong('it has a word that its code has not')
    this.#count -= length
    return code.symbols[(next >>> (LONGEST - length)) - code.bases[length]!]!
  }

  /** Fills the block. Returns its length. */
  #readBytes(recent: Uint8Array, selectors: Uint8Array, codes: readonly Code[]): number {
    const capacity = this.#capacity()
    if (this.#block.length < capacity) this.#block = new Uint32Array(capacity)
    const block = this.#block
    const end = recent.length + 1
    let length = 0
    // How often the latest byte comes again is told in digits 1 and 2, the lowest first.
    let weight = 1
    for (let index = 0; ; index++) {
      const selector = selectors[(index / GROUP) | 0]
      if (selector === undefined) throw this.#wrong('a block of it does not end')
      const symbol = this.#word(codes[selector]!)
      if (symbol === end) break
      const count = symbol <= RUN_B ? weight << symbol : 1
      if (length + count > capacity) throw this.#overflow()
      if (symbol <= RUN_B) {
        block.fill(recent[0]!, length, length + count)
        weight <<= 1
      } else {
        block[length] = toFront(recent, symbol - 1)
        weight = 1
      }
      length += count
    }
    if (this.#isBehindEnd()) throw new Damaged(ENDS_EARLY)
    return length
  }

  /** Four bytes that are the same take five. */
  #capacity(): number {
    return Math.min(this.#level * 100_000, Math.ceil(this.#size * 1.25) + 5)
  }

  #overflow(): Damaged {
    const isFull = this.#capacity() === this.#level * 100_000
    return isFull || this.#isBehindEnd() ? this.#wrong('a block of it is longer than it may be') : tooMuch(this.#size)
  }

  #isBehindEnd(): boolean {
    return this.#input.at - (this.#count >> 3) > this.#input.end
  }

  #wrong(what: string): Damaged {
    return this.#isBehindEnd() ? new Damaged(ENDS_EARLY) : damaged(what)
  }

  /** Undoes the transform of Burrows and Wheeler: from now on each byte knows the next. */
  #sort(length: number, origin: number): void {
    const block = this.#block
    const places = new Uint32Array(256)
    for (let index = 0; index < length; index++) places[block[index]! & 255]!++
    let sum = 0
    for (let byte = 0; byte < 256; byte++) {
      const count = places[byte]!
      places[byte] = sum
      sum += count
    }
    for (let index = 0; index < length; index++) {
      const byte = block[index]! & 255
      block[places[byte]!++]! |= index << 8
    }
    this.#at = block[origin]! >>> 8
    this.#left = length
    this.#last = -1
    this.#run = 0
    this.#repeat = 0
    this.#where = 'text'
  }

  /** False when there is no room left. After four times the same byte comes how often it comes again. */
  #write(): boolean {
    const output = this.#output
    const { bytes } = output
    const block = this.#block
    let [at, left, place, last, run] = [output.at, this.#left, this.#at, this.#last, this.#run]
    let repeat = this.#repeat
    while (at < bytes.length && left + repeat > 0) {
      if (repeat > 0) {
        const count = Math.min(repeat, bytes.length - at)
        bytes.fill(last, at, at + count)
        at += count
        repeat -= count
        continue
      }
      const entry = block[place]!
      const byte = entry & 255
      place = entry >>> 8
      left--
      if (run === 4) {
        repeat = byte
        run = 0
        continue
      }
      run = byte === last ? run + 1 : 1
      last = byte
      bytes[at++] = byte
    }
    output.at = at
    this.#left = left
    this.#at = place
    this.#last = last
    this.#run = run
    this.#repeat = repeat
    return left + repeat === 0
  }
}
