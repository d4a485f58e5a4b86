/** RESP2, as a client hears it: replies of a server that may be slow, broken or no Redis at all. */
import type { Reply } from './reply.ts'

/** It is told to people, and in one line. */
const REFUSAL_MAX = 300

/** What a command was refused with: `NOPERM User has no permissions...`. */
export class Refusal {
  readonly text: string

  constructor(text: string) {
    this.text = text.slice(0, REFUSAL_MAX)
  }
}

/** A reply that came over the wire; the items of a list too may be refusals. One letter of a string for each byte. */
export type Answer = number | string | null | Refusal | readonly Answer[]

/** An INFO or CLIENT LIST of a very large server has some MB. */
const BYTES_MAX = 64 * 1024 * 1024
const ITEMS_MAX = 1_000_000
const LINE_MAX = 64 * 1024
const DEPTH_MAX = 8
/** Many small items in lists within lists. */
const REPLY_MAX = 2 * BYTES_MAX

interface List {
  readonly items: Answer[]
  readonly length: number
}

/** What was sent is no RESP2; the message says what stood there instead. */
export class NoRedis extends Error {}

/** Takes bytes as they come and gives replies as they are whole. */
export class ReplyReader {
  #bytes = Buffer.alloc(0)
  #at = 0
  /** More bytes than these are needed before it is worth to look again. */
  #needed = 0
  #later: Buffer[] = []
  #laterBytes = 0
  #open: List[] = []
  /** Bytes since the last whole reply. */
  #unanswered = 0

  /** Throws NoRedis. */
  push(chunk: Buffer): Answer[] {
    this.#unanswered += chunk.length
    if (this.#unanswered > REPLY_MAX) throw new NoRedis('a reply without an end')
    this.#later.push(chunk)
    this.#laterBytes += chunk.length
    if (this.#bytes.length - this.#at + this.#laterBytes < this.#needed) return []
    this.#bytes = Buffer.concat([this.#bytes.subarray(this.#at), ...this.#later])
    this.#at = 0
    this.#later = []
    this.#laterBytes = 0
    this.#needed = 0
    const whole: Answer[] = []
    for (let value = this.#next(); value !== undefined; value = this.#next()) {
      const done = this.#place(value)
      if (done === undefined) continue
      whole.push(done)
      this.#unanswered = this.#bytes.length - this.#at
    }
    return whole
  }

  /** The next value, a list that begins among them; undefined: it is not whole yet. */
  #next(): Answer | List | undefined {
    const end = this.#bytes.indexOf('\r\n', this.#at, 'latin1')
    if (end < 0) {
      if (this.#bytes.length - this.#at > LINE_MAX) throw new NoRedis('a line without an end')
      return undefined
    }
    const kind = String.fromCharCode(this.#bytes[this.#at]!)
    const line = this.#bytes.toString('latin1', this.#at + 1, end)
    if (kind === '$') return this.#bulk(line, end + 2)
    const value = readLine(kind, line)
    this.#at = end + 2
    return value
  }

  #bulk(line: string, from: number): Answer | undefined {
    const length = readLength(line, BYTES_MAX)
    if (length >= 0 && this.#bytes.length < from + length + 2) {
      this.#needed = from + length + 2 - this.#at
      return undefined
    }
    this.#at = length < 0 ? from : from + length + 2
    return length < 0 ? null : this.#bytes.toString('latin1', from, from + length)
  }

  /** Puts a value into the list that waits for it; returns what is whole by that. */
  #place(value: Answer | List): Answer | undefined {
    if (isList(value) && value.length > 0) {
      if (this.#open.length === DEPTH_MAX) throw new NoRedis('lists within lists without an end')
      this.#open.push(value)
      return undefined
    }
    let done: Answer = isList(value) ? value.items : value
    for (let list = this.#open.at(-1); list !== undefined; list = this.#open.at(-1)) {
      list.items.push(done)
      if (list.items.length < list.length) return undefined
      done = list.items
      this.#open.pop()
    }
    return done
  }
}

function isList(value: Answer | List): value is List {
  return typeof value === 'object' && value !== null && 'items' in value
}

function readLine(kind: string, line: string): Answer | List {
  if (kind === '+') return line
  if (kind === '-') return new Refusal(line)
  if (kind === ':' && /^-?\d{1,19}$/.test(line)) return Number(line)
  if (kind !== '*') throw new NoRedis(`"${(kind + line).slice(0, 40)}"`)
  const length = readLength(line, ITEMS_MAX)
  return length < 0 ? null : { items: [], length }
}

function readLength(line: string, most: number): number {
  const length = /^(?:-1|\d{1,10})$/.test(line) ? Number(line) : Number.NaN
  if (!(length <= most)) throw new NoRedis(`a length of "${line.slice(0, 40)}"`)
  return length
}

/** Commands as they go over the wire. Words are bytes, a letter each. */
export function wireOf(commands: readonly (readonly string[])[]): Buffer {
  const parts = commands.map(
    (words) => `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`,
  )
  return Buffer.from(parts.join(''), 'latin1')
}

/** A reply without what was refused in it, as the readers of pasted replies have it. */
export function plainReply(answer: Answer): Reply {
  if (Array.isArray(answer)) return answer.map(plainReply)
  return answer instanceof Refusal ? null : (answer as Reply)
}
