/**
 * Fronts of lines that were read before. Most lines of a log begin as the one before: with the same bytes, or with
 * another fraction of the same second. To compare them costs a tenth of reading a front anew.
 */
import type { Fronted } from './log-front.ts'
import { isoTime } from './log-time.ts'

/** What a front says; of one that is known, its time is without the fraction. */
type Front = Pick<Fronted, 't' | 'process' | 'form'>

interface Known extends Front {
  readonly bytes: Buffer
  /** Where the digits of the second's fraction stand in it, if the time has any; else both are 0. */
  readonly fractionStart: number
  readonly fractionEnd: number
}

/** Threads whose numbers stand in their lines take turns. */
const KNOWN_MAX = 8
const FRACTION = /\d\d:\d\d:\d\d[.,](\d{1,9})/g
const STAMP = /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,]\d{1,9} ?(?:Z|[+-]\d\d:?\d\d)?/
const SESSION = Buffer.from('session ')
const ZERO = 48

export class KnownFronts {
  #known: Known[] = []
  /** Of the line that was found last. */
  t = Number.NaN
  process = ''
  form = ''

  /**
   * Where the body begins, -1 when the front is not known. Only a body that begins with `session ` and a digit is
   * found: no front goes on so, while one may go on with a level, so that the same bytes are no longer all of it.
   */
  find(bytes: Buffer, start: number, end: number): number {
    for (let i = 0; i < this.#known.length; i++) {
      const known = this.#known[i]!
      const at = start + known.bytes.length
      if (at + SESSION.length >= end || !this.#stands(known, bytes, start) || !beginsSession(bytes, at)) continue
      this.process = known.process
      this.form = known.form
      if (i > 0) {
        this.#known.splice(i, 1)
        this.#known.unshift(known)
      }
      return at
    }
    return -1
  }

  #stands({ bytes: front, fractionStart, fractionEnd, t }: Known, bytes: Buffer, start: number): boolean {
    // From the right: there they differ first.
    for (let i = front.length - 1; i >= fractionEnd; i--) if (bytes[start + i] !== front[i]) return false
    for (let i = 0; i < fractionStart; i++) if (bytes[start + i] !== front[i]) return false
    let fraction = 0
    for (let i = fractionStart; i < fractionEnd; i++) {
      const digit = bytes[start + i]! - ZERO
      if (digit < 0 || digit > 9) return false
      if (i < fractionStart + 3) fraction = fraction * 10 + digit
    }
    this.t = t + fraction
    return true
  }

  /** Keeps the front of a line, `[start, bodyAt)`, for those that begin alike. */
  learn(bytes: Buffer, start: number, bodyAt: number, { t, process, form }: Front): void {
    if (!beginsSession(bytes, bodyAt)) return
    const front = Buffer.from(bytes.subarray(start, bodyAt))
    const text = front.toString('latin1')
    const fractions = Array.from(text.matchAll(FRACTION))
    const digits = fractions[0]?.[1] ?? ''
    const fractionStart = digits === '' ? 0 : fractions[0]!.index + fractions[0]![0].length - digits.length
    // A fraction that is not the time's, and fewer digits than make milliseconds, are compared as they are.
    const isTimes = fractions.length === 1 && digits.length >= 3 && isoTime(STAMP.exec(text)?.[0] ?? '') === t
    const known = isTimes
      ? { fractionStart, fractionEnd: fractionStart + digits.length, t: t - Number(digits.slice(0, 3)) }
      : { fractionStart: 0, fractionEnd: 0, t }
    this.#known.unshift({ bytes: front, process, form, ...known })
    this.#known.length = Math.min(this.#known.length, KNOWN_MAX)
  }
}

function beginsSession(bytes: Buffer, at: number): boolean {
  for (let i = 0; i < SESSION.length; i++) if (bytes[at + i] !== SESSION[i]) return false
  const digit = bytes[at + SESSION.length]! - ZERO
  return digit >= 0 && digit <= 9
}
