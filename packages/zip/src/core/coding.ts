/**
 * How decoders are fed and emptied. A decoder works until it lacks input or room, so that an entry of any size passes
 * through little memory, and one whose size is known can be decoded in place.
 */
import { Damaged } from './damaged.ts'

export const ENDS_EARLY = 'its data ends early'

export function tooMuch(size: number): Damaged {
  return new Damaged(`more comes out of it than the ${size} bytes that the directory says`, 'size')
}

/** Its data has come to its end, in order. */
export function tooLittle(count: number, size: number): Damaged {
  return new Damaged(`${count} bytes come out of it, and not the ${size} that the directory says`, 'size')
}

/** Lacks input, lacks room, is through. */
export type Pause = 'input' | 'room' | 'end'

export interface Decoder {
  /** How far back it looks at most, bytes; known once it has asked for room. */
  readonly reach: number
  /** Goes on until something lacks. Throws Damaged, with the reason. */
  run(): Pause
}

/** Makes a decoder that leaves `size` bytes when all is well. */
export type MakeDecoder = (input: Input, output: Output, size: number) => Decoder

/** What is to be decoded: bytes[at] up to bytes[end]. What lies behind the end means nothing. */
export class Input {
  bytes: Uint8Array
  at = 0
  end: number
  isLast: boolean

  /** Without `data`: nothing yet, and what is added is copied. */
  constructor(data?: Uint8Array) {
    this.bytes = data ?? new Uint8Array(0)
    this.end = this.bytes.length
    this.isLast = data !== undefined
  }

  get left(): number {
    return this.end - this.at
  }

  /** True when there are `count` bytes to read, or all that there will ever be. */
  has(count: number): boolean {
    return this.isLast || this.end - this.at >= count
  }

  add(data: Uint8Array): void {
    if (this.end + data.length > this.bytes.length) this.#makeRoom(data.length)
    this.bytes.set(data, this.end)
    this.end += data.length
  }

  #makeRoom(count: number): void {
    const { left } = this
    // Twice what is held, so that a byte is moved once on average.
    const bytes = (left + count) * 2 > this.bytes.length ? new Uint8Array((left + count) * 2) : this.bytes
    bytes.set(this.bytes.subarray(this.at, this.end))
    this.bytes = bytes
    this.at = 0
    this.end = left
  }

  /** The next byte. Throws Damaged at the end. */
  byte(): number {
    if (this.at >= this.end) throw new Damaged(ENDS_EARLY)
    return this.bytes[this.at++]!
  }
}

/** What was decoded: bytes[0] up to bytes[at], of which decoders copy. */
export class Output {
  bytes: Uint8Array
  at = 0
  #given = 0
  /** What was handed out, bytes. */
  #total = 0

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity)
  }

  /** All that was ever decoded, bytes. */
  get total(): number {
    return this.#total + this.at - this.#given
  }

  /** Makes room by more memory. */
  grow(capacity: number): void {
    const bytes = new Uint8Array(capacity)
    bytes.set(this.bytes.subarray(0, this.at))
    this.bytes = bytes
  }

  /** What is new since the last time. It is overwritten by what is decoded next. */
  take(): Uint8Array {
    const part = this.bytes.subarray(this.#given, this.at)
    this.#total += part.length
    this.#given = this.at
    return part
  }

  /** Makes room behind the last `reach` bytes, when all was taken. */
  slide(reach: number): void {
    if (this.at <= reach) return
    this.bytes.copyWithin(0, this.at - reach, this.at)
    this.at = reach
    this.#given = reach
  }

  /** Appends `length` bytes from `distance` bytes back, or as many as there is room for. Returns how many. */
  copy(distance: number, length: number): number {
    const { bytes, at } = this
    const from = at - distance
    if (from < 0) throw new Damaged('its data refers to what comes before its beginning')
    const count = Math.min(length, bytes.length - at)
    if (distance >= count && count > 32) bytes.copyWithin(at, from, from + count)
    else for (let index = 0; index < count; index++) bytes[at + index] = bytes[from + index]!
    this.at = at + count
    return count
  }
}
