/**
 * What can happen to the meter, as rows of numbers over a slab of bytes.
 *
 * Events come by the hundred thousand a second, so a batch is a set of columns and no object is made for an event: a
 * path or a status text is a range in `bytes`. A batch is valid only until the source reuses its slab; `fold` copies
 * what it keeps.
 */

/** What an event is. `tick` and `from` set the scene for the events that follow them in the stream. */
export const Kind = {
  /** n = [milliseconds since the epoch]: the time of what follows in the current stream. */
  tick: 0,
  /** n = [stream, boot]: where what follows comes from. */
  from: 1,
  /** n = [began, ended, reason]: events of the current stream may have been lost in between. */
  gap: 2,
  /** n = [boot]: that boot of the current stream is over (rule R3). */
  restarted: 3,
  /** `status new`. n = [lifetime in seconds]; text = the payload. */
  opened: 4,
  /** `status refreshed`. n = [lifetime in seconds]; text = the payload. */
  refreshed: 5,
  /** `status deleted`. */
  deleted: 6,
  /** `traffic`: n = [rcvp, rcvb, sentp, sentb] since the last report, client side. */
  traffic: 7,
  /** `traffic/peer`: the same for the peer side. */
  trafficPeer: 8,
  /** `total_traffic`: n = the same counters over the allocation's life, client side. */
  total: 9,
  /** `total_traffic/peer`: each modulo 2^32. */
  totalPeer: 10,
  /** Something under `turn/` that is not an event of coturn's (rule R1). */
  malformed: 11,
  /** Every report of this allocation was heard: its sums are its totals. Only a log can say so. */
  complete: 12,
  /**
   * A status that is kept where coturn keeps it, and tells of no moment: the allocation was there before. n = [lifetime
   * in seconds]; text = the payload.
   */
  present: 13,
  /** n = [since]: the current stream is not heard, until a gap from then on says that it is again (rule R33). */
  deaf: 14,
  /** How the allocation's session was closed; text = `closed local=, remote=, reason=, origin=`. Only a log says so. */
  closing: 15,
  /** A report of this allocation may have been lost. */
  damaged: 16,
} as const

/** Why a gap was recorded; the number travels in the event, the word is stored. */
export const gapReasons = ['restart', 'stall', 'connection', 'overflow', 'clock', 'damage', 'rotation'] as const
export type GapReason = (typeof gapReasons)[number]

/** A run of events of one source, in order. Columns are parallel; `n` holds four numbers for each event. */
export interface Batch {
  bytes: Uint8Array
  length: number
  readonly kind: Uint8Array
  /** The path: the channel without its kind, `turn/.../allocation/<id>`. */
  readonly pathStart: Int32Array
  readonly pathEnd: Int32Array
  readonly textStart: Int32Array
  readonly textEnd: Int32Array
  readonly n: Float64Array
}

/** An empty batch with room for `capacity` events over `bytes`. */
export function createBatch(capacity: number, bytes: Uint8Array): Batch {
  return {
    bytes,
    length: 0,
    kind: new Uint8Array(capacity),
    pathStart: new Int32Array(capacity),
    pathEnd: new Int32Array(capacity),
    textStart: new Int32Array(capacity),
    textEnd: new Int32Array(capacity),
    n: new Float64Array(capacity * 4),
  }
}

/** Appends an event that is about no allocation: `tick`, `from`, `gap`, `restarted`, `deaf`. */
export function appendScene(batch: Batch, kind: number, a: number, b = 0, c = 0): void {
  const i = batch.length++
  batch.kind[i] = kind
  batch.n[i * 4] = a
  batch.n[i * 4 + 1] = b
  batch.n[i * 4 + 2] = c
}

const SLASH = 47
const ZERO = 48
const COMMA = 44
const SPACE = 32
/** A longer path is none of coturn's: its whole key has 1023 bytes at most. */
export const PATH_MAX = 4096
const ID_DIGITS_MIN = 18
const ID_DIGITS_MAX = 20

const ascii = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0))
const TURN = ascii('turn/')
const ALLOCATION = ascii('/allocation/')
const STATUS = ascii('/status')
const TRAFFIC = ascii('/traffic')
const TOTAL = ascii('/total_traffic')
const PEER = ascii('/peer')
const NEW = ascii('new')
const REFRESHED = ascii('refreshed')
const DELETED = ascii('deleted')
const LIFETIME = ascii(' lifetime=')

/** True when `word` stands in `bytes` at `at` and ends no later than `end`. */
function stands(word: Uint8Array, bytes: Uint8Array, at: number, end: number): boolean {
  if (at < 0 || at + word.length > end) return false
  for (let i = 0; i < word.length; i++) if (bytes[at + i] !== word[i]) return false
  return true
}

/** True when `word` is what `bytes` up to `end` finishes with, not reaching back before `start`. */
function finishes(word: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  return end - word.length >= start && stands(word, bytes, end - word.length, end)
}

/** The end of the path if `[start, end)` is `turn/.../allocation/<id>`, else -1. */
function pathEnd(bytes: Uint8Array, start: number, end: number): number {
  let digit = end
  while (digit > start && bytes[digit - 1]! >= ZERO && bytes[digit - 1]! <= ZERO + 9) digit--
  const digits = end - digit
  if (digits < ID_DIGITS_MIN || digits > ID_DIGITS_MAX || end - start > PATH_MAX) return -1
  return finishes(ALLOCATION, bytes, start, digit) ? end : -1
}

/** Whether all of `bytes` is the path of an allocation. */
export function isPath(bytes: Uint8Array): boolean {
  return stands(TURN, bytes, 0, bytes.length) && pathEnd(bytes, 0, bytes.length) >= 0
}

/**
 * Appends what one PUBLISH says: channel in `[from, to)` and message in `[textFrom, textTo)` of the batch's bytes.
 * Returns false for a channel that does not begin with `turn/` (coturn's heartbeat `__XXX__`, others' messages).
 * Channel and payload forms: coturn 4.5 to 4.17, `ns_ioalib_engine_impl.c` `turn_report_*`; read by rule R1.
 */
export function appendPublish(batch: Batch, from: number, to: number, textFrom: number, textTo: number): boolean {
  const bytes = batch.bytes
  if (!stands(TURN, bytes, from, to)) return false
  const i = batch.length++
  batch.pathStart[i] = from
  batch.pathEnd[i] = from
  batch.textStart[i] = textFrom
  batch.textEnd[i] = textTo
  batch.kind[i] = readEvent(batch, i, from, to)
  return true
}

/**
 * Appends that a key holds this status: key in `[from, to)`, value in `[to, end)` of the batch's bytes. Returns false
 * when that is no status of an allocation.
 */
export function appendPresent(batch: Batch, from: number, to: number, end: number): boolean {
  const i = batch.length
  if (!appendPublish(batch, from, to, to, end)) return false
  const isStatus = batch.kind[i] === Kind.opened || batch.kind[i] === Kind.refreshed
  if (isStatus) batch.kind[i] = Kind.present
  else batch.length = i
  return isStatus
}

/** Appends that something was published which is too long to be looked at (rule R1). */
export function appendTooLong(batch: Batch): void {
  const i = batch.length++
  batch.kind[i] = Kind.malformed
  batch.pathStart[i] = 0
  batch.pathEnd[i] = 0
}

function readEvent(batch: Batch, i: number, from: number, to: number): number {
  const bytes = batch.bytes
  if (finishes(STATUS, bytes, from, to)) {
    const end = pathEnd(bytes, from, to - STATUS.length)
    if (end < 0) return Kind.malformed
    batch.pathEnd[i] = end
    return readStatus(batch, i)
  }
  const peer = finishes(PEER, bytes, from, to)
  const kindEnd = peer ? to - PEER.length : to
  const total = finishes(TOTAL, bytes, from, kindEnd)
  if (!total && !finishes(TRAFFIC, bytes, from, kindEnd)) return Kind.malformed
  const end = pathEnd(bytes, from, kindEnd - (total ? TOTAL.length : TRAFFIC.length))
  if (end < 0 || !readCounters(batch, i)) return Kind.malformed
  batch.pathEnd[i] = end
  if (total) return peer ? Kind.totalPeer : Kind.total
  return peer ? Kind.trafficPeer : Kind.traffic
}

function readStatus(batch: Batch, i: number): number {
  const { bytes } = batch
  const start = batch.textStart[i]!
  const end = batch.textEnd[i]!
  if (stands(DELETED, bytes, start, end)) return Kind.deleted
  const isNew = stands(NEW, bytes, start, end)
  const word = isNew ? NEW : REFRESHED
  if (!stands(word, bytes, start, end)) return Kind.malformed
  const at = start + word.length
  if (!stands(LIFETIME, bytes, at, end)) return Kind.malformed
  const lifetime = readNumber(bytes, at + LIFETIME.length, end)
  if (lifetime < 0 || lifetime > LIFETIME_MAX) return Kind.malformed
  batch.n[i * 4] = lifetime
  return isNew ? Kind.opened : Kind.refreshed
}

/** An allocation's lifetime has 32 bits (RFC 8656, section 18.2). */
const LIFETIME_MAX = 2 ** 32 - 1

/** Where `readNumber` stopped. */
let stopped = 0

/** The decimal number at `at`, or -1 when there is none or it is above 2^53 - 1. */
function readNumber(bytes: Uint8Array, at: number, end: number): number {
  let value = 0
  let i = at
  for (; i < end; i++) {
    const digit = bytes[i]! - ZERO
    if (digit < 0 || digit > 9) break
    value = value * 10 + digit
  }
  stopped = i
  return i === at || i - at > 16 || value > Number.MAX_SAFE_INTEGER ? -1 : value
}

/** `rcvp=1, rcvb=2, sentp=3, sentb=4` in this order, as every coturn writes it; nothing may stand behind it. */
function readCounters(batch: Batch, i: number): boolean {
  const { bytes, n } = batch
  let at = batch.textStart[i]!
  const end = batch.textEnd[i]!
  for (let k = 0; k < 4; k++) {
    const name = COUNTER_NAMES[k]!
    if (!stands(name, bytes, at, end)) return false
    const value = readNumber(bytes, at + name.length, end)
    if (value < 0) return false
    n[i * 4 + k] = value
    at = stopped
    if (k < 3) {
      if (bytes[at] !== COMMA) return false
      at++
      while (at < end && bytes[at] === SPACE) at++
    }
  }
  return at === end
}

const COUNTER_NAMES = ['rcvp=', 'rcvb=', 'sentp=', 'sentb='].map(ascii)

/** What a path names. */
export interface PathName {
  readonly realm: string
  readonly username: string
  /** coturn's 18 digits. */
  readonly id: string
}

const REALM = ascii('turn/realm/')
const USER = ascii('/user/')
const USER_WITHOUT_REALM = ascii('turn/user/')

/** Splits a path by rule R1. Bytes that are no UTF-8 are shown as `\xNN`, so that two names never become one. */
export function readPath(path: Uint8Array): PathName {
  let idStart = path.length
  while (idStart > 0 && path[idStart - 1] !== SLASH) idStart--
  const nameEnd = idStart - ALLOCATION.length
  const id = readText(path, idStart, path.length)
  if (stands(REALM, path, 0, nameEnd)) {
    for (let i = REALM.length; i + USER.length <= nameEnd; i++) {
      if (!stands(USER, path, i, nameEnd)) continue
      return { realm: readText(path, REALM.length, i), username: readText(path, i + USER.length, nameEnd), id }
    }
  }
  const start = stands(USER_WITHOUT_REALM, path, 0, nameEnd) ? USER_WITHOUT_REALM.length : TURN.length
  return { realm: '', username: readText(path, start, nameEnd), id }
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function readText(bytes: Uint8Array, start: number, end: number): string {
  const part = bytes.subarray(start, end)
  try {
    return strict.decode(part)
  } catch {
    return Array.from(part, (byte) =>
      byte < 128 ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`,
    ).join('')
  }
}

/** The named parts of a status payload; coturn before 4.6.0 gives none of them. */
export interface StatusText {
  readonly transport: string | null
  /** coturn's own address that the client talks to (`local=`). */
  readonly serverAddress: string | null
  readonly clientAddress: string | null
  /** TLS version, null when the client side is not encrypted. */
  readonly tls: string | null
  /** Only in the text of a `closing`, whatever it is: the client chose it. */
  readonly origin: string | null
  readonly closeReason: string | null
}

/** Stands before what the client chose, which may hold anything. */
const ORIGIN = ', origin='

/** Reads `new lifetime=600, type=UDP, local=ip:port, remote=ip:port, ssl=NONE, cipher=NONE`. */
export function readStatusText(bytes: Uint8Array, start: number, end: number): StatusText {
  const parts = new Map<string, string>()
  const text = readText(bytes, start, end)
  const closed = text.startsWith('closed ')
  const originAt = closed ? text.indexOf(ORIGIN) : -1
  for (const part of (originAt < 0 ? text : text.slice(0, originAt)).replace(/^closed /, '').split(/, */)) {
    const equals = part.indexOf('=')
    if (equals > 0) parts.set(part.slice(0, equals), part.slice(equals + 1))
  }
  const tls = parts.get('ssl') ?? null
  return {
    transport: parts.get('type') ?? null,
    serverAddress: parts.get('local') ?? null,
    clientAddress: parts.get('remote') ?? null,
    tls: tls === 'NONE' ? null : tls,
    origin: originAt < 0 ? null : text.slice(originAt + ORIGIN.length) || null,
    closeReason: closed ? (parts.get('reason') ?? null) : null,
  }
}

/** A number that stands for the value of `name=` (an address) in a status payload, or 0 when it is not there. */
export function hashPart(name: Uint8Array, bytes: Uint8Array, start: number, end: number): number {
  for (let i = start; i + name.length <= end; i++) {
    if (bytes[i] !== name[0] || !stands(name, bytes, i, end)) continue
    let high = 0x811c9dc5
    let low = 0x01000193
    for (let k = i + name.length; k < end && bytes[k] !== COMMA; k++) {
      high = Math.imul(high ^ bytes[k]!, 0x01000193)
      low = Math.imul(low + bytes[k]!, 0x5bd1e995)
    }
    return (high >>> 12) * 0x1_0000_0000 + (low >>> 0) + 1
  }
  return 0
}

export const LOCAL = ascii(' local=')
export const REMOTE = ascii(' remote=')
