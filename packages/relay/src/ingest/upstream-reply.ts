/** What a Redis answers (RESP2): looked through for its errors and for the words of an array, else thrown away. */

/** Who is told. */
export interface ReplyListener {
  /** A reply has ended; `error`: what it complains of. */
  reply(error: string | undefined): void
  /** Whether the words of the present reply are wanted. */
  wantsWords(): boolean
  word(bytes: Buffer): void
}

/** The beginning of a line is enough to tell what it is. */
const LINE_MAX = 512
/** Longer words are left out: coturn's key has at most 1023 bytes. */
const WORD_MAX = 1024

const LF = 10
const PLUS = 43
const COLON = 58

/** Reads replies as they come, in chunks cut anywhere. */
export class ReplyReader {
  readonly #on: ReplyListener
  /** Values that the present reply still lacks. */
  #lacking = 1
  /** The beginning of a line whose end has not come yet. */
  #line = ''
  /** Bytes of the present word that have not come yet, its line break among them. */
  #wordLeft = 0
  /** Parts of the present word, if it is wanted. */
  #parts: Uint8Array[] | undefined

  constructor(on: ReplyListener) {
    this.#on = on
  }

  /** False: this is not how a Redis speaks. */
  read(chunk: Uint8Array): boolean {
    let at = 0
    while (at >= 0 && at < chunk.length) {
      at = this.#wordLeft > 0 ? this.#readWord(chunk, at) : this.#readLine(chunk, at)
    }
    return at >= 0
  }

  /** Returns where it ended; -1: nothing that could be read. */
  #readLine(chunk: Uint8Array, from: number): number {
    let end = from
    while (end < chunk.length && chunk[end] !== LF) end++
    const isWhole = end < chunk.length
    // Nearly all are `:1`.
    if (isWhole && this.#line === '' && (chunk[from] === COLON || chunk[from] === PLUS)) {
      this.#ended(undefined)
      return end + 1
    }
    this.#line += Buffer.from(chunk.buffer, chunk.byteOffset + from, Math.min(end - from, LINE_MAX)).toString('latin1')
    if (!isWhole) {
      this.#line = this.#line.slice(0, LINE_MAX)
      return end
    }
    const line = this.#line.trimEnd()
    this.#line = ''
    return this.#value(line[0], line.slice(1)) ? end + 1 : -1
  }

  #value(type: string | undefined, text: string): boolean {
    if (type === ':' || type === '+') this.#ended(undefined)
    else if (type === '-') this.#ended(text)
    else if (text === '-1' && (type === '$' || type === '*')) this.#ended(undefined)
    else if (!/^\d{1,9}$/.test(text)) return false
    else if (type === '$') {
      this.#wordLeft = Number(text) + 2
      this.#parts = Number(text) <= WORD_MAX && this.#on.wantsWords() ? [] : undefined
    } else if (type === '*') {
      this.#lacking += Number(text)
      this.#ended(undefined)
    } else return false
    return true
  }

  #readWord(chunk: Uint8Array, from: number): number {
    const end = Math.min(from + this.#wordLeft, chunk.length)
    this.#parts?.push(chunk.subarray(from, end))
    this.#wordLeft -= end - from
    if (this.#wordLeft > 0) return end
    if (this.#parts !== undefined) this.#on.word(Buffer.concat(this.#parts).subarray(0, -2))
    this.#parts = undefined
    this.#ended(undefined)
    return end
  }

  /** A value has ended, and with it perhaps the reply. */
  #ended(error: string | undefined): void {
    if (--this.#lacking > 0) return
    this.#lacking = 1
    this.#on.reply(error)
  }
}
