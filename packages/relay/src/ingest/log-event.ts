/**
 * Lines of a log in the form in which nearly all of them are, read byte by byte: as strings, by regular expressions,
 * they cost ten times as much. What is unusual in any way is left to those (log.ts).
 */
import { Kind } from '../core/event.ts'

const ascii = (text: string) => Buffer.from(text, 'latin1')
const SESSION = ascii('session ')
const REALM = ascii('realm=<')
const USERNAME = ascii('>, username=<')
const LIFETIME = ascii('>, lifetime=')
/** From the right. */
const COUNTERS = [', sb=', ', sp=', ', rb=', '>, rp='].map(ascii)
const words: readonly { readonly word: Buffer; readonly kind: number }[] = [
  { word: ascii('usage: '), kind: Kind.traffic },
  { word: ascii('peer usage: '), kind: Kind.trafficPeer },
  { word: ascii('refreshed, '), kind: Kind.refreshed },
  { word: ascii('new, '), kind: Kind.opened },
  { word: ascii('delete: '), kind: Kind.deleted },
]
/** What goes on so says nothing of an allocation, if no second session stands in it. */
const IDLE = ascii('realm <')
const IDLE_PEER = ascii('peer ')
/** No line of coturn's is longer. */
const LENGTH_MAX = 1100
const ID_DIGITS_MIN = 18
const ID_DIGITS_MAX = 20
/** More may be beyond 2^53. */
const DIGITS_MAX = 15
const LIFETIME_DIGITS_MAX = 9
const ZERO = 48
const SPACE = 32
const CLOSE = 62
const BRACKET = 91

/** The event that was read last: its kind, ranges of the line's bytes, and its numbers. */
export class EventLine {
  kind: number = Kind.malformed
  idStart = 0
  idEnd = 0
  realmStart = 0
  realmEnd = 0
  userStart = 0
  userEnd = 0
  /** Lifetime in seconds, or four counters. */
  readonly n = new Float64Array(4)
  #numberStart = 0

  /** Reads the body of a line. `idle`: it tells of no event; `unusual`: this says nothing of it. */
  read(bytes: Buffer, start: number, end: number): 'event' | 'idle' | 'unusual' {
    if (end - start > LENGTH_MAX || !stands(SESSION, bytes, start, end)) return 'unusual'
    this.idStart = start + SESSION.length
    this.idEnd = afterDigits(bytes, this.idStart, end)
    const digits = this.idEnd - this.idStart
    const at = this.idEnd + 2
    if (digits < ID_DIGITS_MIN || digits > ID_DIGITS_MAX || bytes[at - 2] !== 58 || bytes[at - 1] !== SPACE) {
      return 'unusual'
    }
    for (const { word, kind } of words) {
      if (!stands(word, bytes, at, end)) continue
      this.kind = kind
      return this.#readWho(bytes, at + word.length, end) ? 'event' : 'unusual'
    }
    return isIdle(bytes, at, end) ? 'idle' : 'unusual'
  }

  #readWho(bytes: Buffer, at: number, end: number): boolean {
    if (!stands(REALM, bytes, at, end)) return false
    this.realmStart = at + REALM.length
    let realmEnd = this.realmStart
    // White space in a name may be a second line in this one.
    for (; bytes[realmEnd] !== CLOSE || !stands(USERNAME, bytes, realmEnd, end); realmEnd++) {
      if (!(bytes[realmEnd]! > SPACE)) return false
    }
    this.realmEnd = realmEnd
    this.userStart = realmEnd + USERNAME.length
    this.userEnd = this.#readNumbers(bytes, end)
    if (this.userEnd < this.userStart) return false
    for (let i = this.userStart; i < this.userEnd; i++) if (bytes[i]! <= SPACE) return false
    return true
  }

  /** Reads from the right what stands behind the name, and returns where that ends; -1: it is something else. */
  #readNumbers(bytes: Buffer, end: number): number {
    if (this.kind === Kind.deleted) return bytes[end - 1] === CLOSE ? end - 1 : -1
    if (this.kind === Kind.opened || this.kind === Kind.refreshed) {
      this.n[0] = this.#numberBefore(bytes, end, LIFETIME_DIGITS_MAX)
      return this.#wordBefore(LIFETIME, bytes)
    }
    let at = end
    for (let k = 3; k >= 0 && at >= 0; k--) {
      this.n[k] = this.#numberBefore(bytes, at, DIGITS_MAX)
      at = this.#wordBefore(COUNTERS[3 - k]!, bytes)
    }
    return at
  }

  #numberBefore(bytes: Buffer, end: number, digitsMax: number): number {
    let value = 0
    let place = 1
    let at = end
    for (; end - at <= digitsMax; at--, place *= 10) {
      const digit = bytes[at - 1]! - ZERO
      if (!(digit >= 0 && digit <= 9)) break
      value += digit * place
    }
    this.#numberStart = at === end || end - at > digitsMax ? -1 : at
    return value
  }

  /** Where the word in front of the number begins; -1: it does not stand there. */
  #wordBefore(word: Buffer, bytes: Buffer): number {
    const at = this.#numberStart - word.length
    return at >= this.userStart && stands(word, bytes, at, this.#numberStart) ? at : -1
  }
}

function isIdle(bytes: Buffer, at: number, end: number): boolean {
  const next = bytes[at + IDLE_PEER.length]
  const isPeer = stands(IDLE_PEER, bytes, at, end) && (isDigit(next) || next === BRACKET)
  // What looks like the beginning of another line is not for this eye.
  const isRealm = stands(IDLE, bytes, at, end) && !isDigit(bytes[at + IDLE.length])
  if (!isPeer && !isRealm) return false
  for (let i = at; i < end; i++) if (bytes[i] === SESSION[0] && stands(SESSION, bytes, i, end)) return false
  return true
}

const isDigit = (byte: number | undefined) => byte! >= ZERO && byte! <= ZERO + 9

function stands(word: Buffer, bytes: Buffer, at: number, end: number): boolean {
  if (at + word.length > end) return false
  for (let i = 0; i < word.length; i++) if (bytes[at + i] !== word[i]) return false
  return true
}

function afterDigits(bytes: Buffer, at: number, end: number): number {
  let i = at
  while (i < end && bytes[i]! >= ZERO && bytes[i]! <= ZERO + 9) i++
  return i
}
