/** Decodes the .xz format (xz-file-format.txt 1.2.1), of which archives hold one stream packed by LZMA2. */
import { type Decoder, ENDS_EARLY, type Input, type Output, type Pause } from './coding.ts'
import { Damaged } from './damaged.ts'
import { checkReach, Lzma } from './lzma.ts'
import { Refused } from './refused.ts'

const damaged = (what: string) => new Damaged(`its data is no XZ stream: ${what}`)

const MAGIC = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]
const HEADER = 12
/** Bytes of the check behind a block, by its number. It is not looked at: the archive has its own. */
const CHECKS = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64]
const LZMA2 = 0x21
/** A chunk with its header. */
const CHUNK = 65_536 + 6

export class Unxz implements Decoder {
  reach = 0
  readonly #input: Input
  readonly #output: Output
  readonly #size: number
  readonly #lzma: Lzma
  #where: 'header' | 'block' | 'chunk' | 'packed' | 'stored' | 'end' = 'header'
  #check = 0
  /** Bytes of the block so far, of which only the lowest bits matter. */
  #length = 0
  /** Of the chunk: what it still makes, and what it takes. */
  #left = 0
  #taken = 0
  /** Whether the dictionary, or the properties, have been given. */
  #hasDictionary = false
  #hasProperties = false

  constructor(input: Input, output: Output, size: number) {
    this.#input = input
    this.#output = output
    this.#size = size
    this.#lzma = new Lzma(input, output)
  }

  run(): Pause {
    for (;;) {
      if (this.#where === 'end') return 'end'
      const pause = this.#step()
      if (pause !== undefined) return pause
    }
  }

  #step(): Pause | undefined {
    const input = this.#input
    if (this.#where === 'packed') return this.#unpack()
    if (this.#where === 'stored') return this.#copy()
    // The largest header and the largest chunk, and the check behind it.
    if (!input.has(CHUNK + 1024)) return 'input'
    if (this.#where === 'header') this.#readHeader()
    else if (this.#where === 'block') this.#readBlock()
    else this.#readChunk()
    return undefined
  }

  #skip(count: number): void {
    for (let index = 0; index < count; index++) this.#input.byte()
  }

  #readHeader(): void {
    for (const byte of MAGIC) if (this.#input.byte() !== byte) throw damaged('it does not begin as one does')
    this.#skip(1)
    this.#check = CHECKS[this.#input.byte() & 15]!
    this.#skip(HEADER - MAGIC.length - 2)
    this.#where = 'block'
  }

  #readBlock(): void {
    const input = this.#input
    const size = input.byte()
    if (size === 0) {
      // The index, which tells nothing new.
      this.#where = 'end'
      return
    }
    let left = size * 4 + 3
    const byte = () => {
      if (left-- <= 4) throw damaged('a header of it is too short')
      return input.byte()
    }
    const flags = byte()
    if (flags & 0x40) number(byte)
    if (flags & 0x80) number(byte)
    if ((flags & 3) !== 0 || number(byte) !== LZMA2) {
      throw new Refused('method', 'it was filtered before it was packed by XZ, which is not read by fettle; 7zz x may')
    }
    if (number(byte) !== 1) throw damaged('its properties are wrong')
    const bits = byte()
    if (bits > 40) throw damaged('its properties are wrong')
    this.reach = bits === 40 ? 0xffffffff : (2 | (bits & 1)) * 2 ** ((bits >> 1) + 11)
    checkReach(this.reach, this.#size)
    this.#skip(left)
    this.#length = 0
    this.#hasDictionary = false
    this.#hasProperties = false
    this.#where = 'chunk'
  }

  #readChunk(): void {
    const input = this.#input
    const control = input.byte()
    this.#length++
    if (control === 0) {
      this.#skip((-this.#length & 3) + this.#check)
      this.#where = 'block'
      return
    }
    const isPacked = control >= 0x80
    if (!isPacked && control > 2) throw damaged('a chunk of it is of no kind')
    const isNew = isPacked ? control >= 0xe0 : control === 1
    if (isNew) this.#lzma.forget()
    else if (!this.#hasDictionary) throw damaged('its first chunk needs others before it')
    this.#hasDictionary = true
    this.#left = this.#pair() + 1
    if (!isPacked) {
      this.#length += 2 + this.#left
      this.#where = 'stored'
      return
    }
    this.#left += (control & 0x1f) << 16
    this.#taken = this.#pair() + 1
    this.#length += 4 + this.#taken
    this.#reset((control >> 5) & 3)
    if (this.#taken < 5) throw damaged('a chunk of it is too short')
    this.#lzma.begin()
    this.#taken -= 5
    this.#where = 'packed'
  }

  #reset(how: number): void {
    if (how >= 2) {
      this.#lzma.setProperties(this.#input.byte())
      this.#length++
      this.#hasProperties = true
    }
    if (!this.#hasProperties) throw damaged('its first chunk needs others before it')
    if (how >= 1) this.#lzma.reset()
  }

  #pair(): number {
    return this.#input.byte() * 256 + this.#input.byte()
  }

  #unpack(): Pause | undefined {
    const before = this.#input.left
    const total = this.#output.total
    const pause = this.#lzma.run(this.#left)
    const isThrough = pause === 'end' && !this.#lzma.hasEnded && this.#lzma.isThrough()
    this.#left -= this.#output.total - total
    this.#taken -= before - this.#input.left
    if (pause !== 'end') return pause
    if (!isThrough || this.#taken !== 0) throw damaged('a chunk of it ends elsewhere than it says')
    this.#where = 'chunk'
    return undefined
  }

  #copy(): Pause | undefined {
    const { bytes, at } = this.#output
    if (at === bytes.length) return 'room'
    if (this.#input.left === 0) throw new Damaged(ENDS_EARLY)
    const count = Math.min(this.#left, bytes.length - at, this.#input.left)
    this.#lzma.store(count)
    this.#left -= count
    if (this.#left === 0) this.#where = 'chunk'
    return undefined
  }
}

/** Of any size: seven bits a byte, the lowest first. */
function number(byte: () => number): number {
  let value = 0
  for (let index = 0; index < 9; index++) {
    const bits = byte()
    value += (bits & 127) * 128 ** index
    if (bits < 128) return value
  }
  throw damaged('a number of it is too long')
}
