/** Lists that grow between two cuts and go away with one. */
import { grown } from './table.ts'

/** kind, id, t, a, b, length of the text. */
export const MOVE_WIDTH = 6

/** Numbers in a buffer that is larger than they are: `[0, length)` of `data`. */
export interface Numbers {
  readonly data: Float64Array
  readonly length: number
}

export interface Bytes {
  readonly data: Uint8Array
  readonly length: number
}

/** Room that a list may have before it is needed: 2 MB. */
const EXPECTED_MAX = 2 ** 18

/** Fixed-width rows of numbers, with room for as many as the last time: to grow by copies costs four times as much. */
export class NumberRows {
  readonly width: number
  /** Numbers, not rows. */
  length = 0
  #data: Float64Array = new Float64Array(0)
  /** Numbers of the last cut. */
  #expected = 0

  constructor(width: number) {
    this.width = width
  }

  get rows(): number {
    return this.length / this.width
  }

  /** Appends `width` numbers of `from`, starting at `at`. */
  pushFrom(from: Float64Array, at: number): void {
    const to = this.length
    this.length += this.width
    if (this.length > this.#data.length) this.#data = grown(this.#data, Math.max(this.length, this.#expected))
    for (let i = 0; i < this.width; i++) this.#data[to + i] = from[at + i]!
  }

  /** Hands the rows over and begins anew. */
  take(): Numbers {
    const taken = { data: this.#data, length: this.length }
    this.#data = new Float64Array(0)
    this.#expected = Math.min(this.length, EXPECTED_MAX)
    this.length = 0
    return taken
  }
}

/** Moves in order, with their texts. */
export class Moves {
  readonly #rows = new NumberRows(MOVE_WIDTH)
  readonly #row = new Float64Array(MOVE_WIDTH)
  #text: Uint8Array = new Uint8Array(0)
  #textLength = 0

  get count(): number {
    return this.#rows.rows
  }

  push(kind: number, id: number, t = Number.NaN, a = 0, b = 0): void {
    this.#pushRow(kind, id, t, a, b, 0)
  }

  /** A move with the bytes `[start, end)` as its text. */
  pushText(kind: number, id: number, a: number, b: number, bytes: Uint8Array, start: number, end: number): void {
    const length = end - start
    this.#pushRow(kind, id, Number.NaN, a, b, length)
    const to = this.#textLength
    this.#textLength += length
    if (this.#textLength > this.#text.length) this.#text = grown(this.#text, this.#textLength)
    for (let i = 0; i < length; i++) this.#text[to + i] = bytes[start + i]!
  }

  #pushRow(kind: number, id: number, t: number, a: number, b: number, length: number): void {
    const row = this.#row
    row[0] = kind
    row[1] = id
    row[2] = t
    row[3] = a
    row[4] = b
    row[5] = length
    this.#rows.pushFrom(row, 0)
  }

  take(): { moves: Numbers; text: Bytes } {
    const text = { data: this.#text, length: this.#textLength }
    this.#text = new Uint8Array(0)
    this.#textLength = 0
    return { moves: this.#rows.take(), text }
  }
}
