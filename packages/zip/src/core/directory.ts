/**
 * The directory of an archive, in columns: one number each for an entry, and all names in one piece. A million entries
 * take some 80 MB, and threads share them.
 */
import { uint64 } from './end.ts'

/** What is known of an entry beyond the fields of its record. */
export const MARK = {
  /** The name is UTF-8, because a flag or an extra field says so. */
  utf8: 1,
  /** The name has bytes beyond ASCII. */
  beyondAscii: 2,
  /** `time` counts seconds since 1970, in UTC; else it is a date and a time of MS-DOS, in some local time. */
  utc: 4,
  /** Its data are encrypted as WinZip does with AES; `method` is the one beneath. */
  aes: 8,
  /** The second version of that, which has no CRC. */
  ae2: 16,
  /** Its key has 128 bits and 64 times this. */
  aesStrength: 32 + 64,
  /** Its extra fields end in the middle of one. */
  badExtra: 128,
  /** A field of Zip64 is missing that a record spoke of. */
  badZip64: 256,
  /** The name is that of an extra field, and not the one of the record. */
  renamed: 512,
  /** An extra field has a name that belongs to another one: whoever renamed the entry did not know of it. */
  staleName: 1024,
} as const

export const FLAG = { encrypted: 1, descriptor: 8, strong: 64, utf8: 0x800, masked: 0x2000 } as const

/** APPNOTE 4.4.5, those that are more than a number to us; `aes` stands before the one beneath. */
export const METHOD = { store: 0, deflate: 8, aes: 99 } as const

/** How much comes out of a byte of Deflate at most: 258 bytes out of two bits (RFC 1951). */
export const DEFLATE_RATIO = 1032

/** In `host`: who made an entry, and so what its attributes mean (APPNOTE 4.4.2). */
export const HOST = { dos: 0, unix: 3, ntfs: 10, vfat: 14, darwin: 19 } as const

const RECORD_SIZE = 46

/**
 * Which entries may be meant, by the bytes of their names. It may say yes of one that is not, but never no of one that
 * is, as long as names are decoded by an encoding in which ASCII is ASCII.
 */
export interface Wanted {
  /** Of each byte whether a name may begin with it: that is enough to know of most names. */
  readonly begins: Uint8Array
  /** Of the name in `bytes` from `start` up to `end`. */
  may(bytes: Uint8Array, start: number, end: number): boolean
}

export interface Columns {
  /** Where the name ends in `names`; it begins where the one before ends. */
  nameEnd: Uint32Array
  names: Uint8Array
  /** Where the local header begins. */
  offset: Float64Array
  compressed: Float64Array
  size: Float64Array
  crc: Uint32Array
  time: Uint32Array
  attributes: Uint32Array
  flags: Uint16Array
  method: Uint16Array
  marks: Uint16Array
  host: Uint8Array
}

const shared = (bytes: number) => new SharedArrayBuffer(bytes)

function columns(capacity: number, nameBytes: number): Columns {
  return {
    nameEnd: new Uint32Array(shared(capacity * 4)),
    names: new Uint8Array(shared(nameBytes)),
    offset: new Float64Array(shared(capacity * 8)),
    compressed: new Float64Array(shared(capacity * 8)),
    size: new Float64Array(shared(capacity * 8)),
    crc: new Uint32Array(shared(capacity * 4)),
    time: new Uint32Array(shared(capacity * 4)),
    attributes: new Uint32Array(shared(capacity * 4)),
    flags: new Uint16Array(shared(capacity * 2)),
    method: new Uint16Array(shared(capacity * 2)),
    marks: new Uint16Array(shared(capacity * 2)),
    host: new Uint8Array(shared(capacity)),
  }
}

/** Entries that are wanted, in the order of the directory. */
export class Directory {
  columns: Columns
  /** How many are held. */
  count = 0
  /** How many records there are. */
  records = 0
  /** Where the first local header is, of all records; offsets of Zip64 aside. */
  lowest = Number.POSITIVE_INFINITY
  /** Bytes beyond ASCII in names that do not say what they are. */
  hasUnknownNames = false
  /** At how many bytes of it something else began than a record; undefined: all of it is records. */
  brokenAt: number | undefined
  readonly #shift: number
  readonly #wanted: Wanted | undefined
  #read = 0

  /**
   * `expected`: how many entries there may be; more are taken too. `nameBytes`: how long all names may be together.
   * `shift`: what stands before the archive, and is not counted by its offsets.
   */
  constructor(expected: number, nameBytes: number, shift: number, wanted?: Wanted) {
    // Memory that nobody writes to is not there: only what is wanted costs.
    this.columns = columns(Math.max(wanted === undefined ? expected : Math.min(expected, 4096), 16), nameBytes)
    this.#shift = shift
    this.#wanted = wanted
  }

  /** Reads the records in the next bytes of the directory. Returns how many it has used: the rest is to come again. */
  feed(bytes: Buffer): number {
    let at = 0
    const wanted = this.#wanted
    const begins = wanted?.begins
    const { length } = bytes
    let { lowest, records } = this
    // That of the lowest: of most records it says that they are not lower.
    let highByte = Math.min(lowest, UNKNOWN) >>> 24
    while (at + RECORD_SIZE <= length) {
      // A call for a few bytes costs more than they do: this is run before anything is compiled well.
      if (bytes[at] !== 0x50 || bytes[at + 1] !== 0x4b || bytes[at + 2] !== 1 || bytes[at + 3] !== 2) {
        this.brokenAt = this.#read + at
        break
      }
      const nameLength = bytes[at + 28]! | (bytes[at + 29]! << 8)
      const extraLength = bytes[at + 30]! | (bytes[at + 31]! << 8)
      const commentLength = bytes[at + 32]! | (bytes[at + 33]! << 8)
      const next = at + RECORD_SIZE + nameLength + extraLength + commentLength
      if (next > length) break
      const extra = at + RECORD_SIZE + nameLength
      const isWanted =
        wanted === undefined || (begins![bytes[at + RECORD_SIZE]!] !== 0 && wanted.may(bytes, at + RECORD_SIZE, extra))
      // Another name may stand in an extra field.
      if (isWanted || (extraLength > 0 && holds(bytes, extra, extra + extraLength, UNICODE_PATH))) {
        this.#record(bytes, at, extra, extra + extraLength, isWanted)
      }
      records++
      if (bytes[at + 45]! <= highByte) {
        lowest = Math.min(lowest, bytes.readUInt32LE(at + 42))
        highByte = lowest >>> 24
      }
      at = next
    }
    this.lowest = lowest
    this.records = records
    this.#read += at
    return at
  }

  /** Forgets the entries that it holds. */
  clear(): void {
    this.count = 0
    this.hasUnknownNames = false
  }

  /** What is left when there is no more: the beginning of a record that is not whole, or a signature of it. */
  finish(left: Buffer): void {
    // A digital signature may stand behind the records (APPNOTE 4.3.13).
    const isSignature = left.length >= 4 && left.readUInt32LE(0) === 0x05054b50
    if (isSignature || left.length === 0) this.brokenAt = undefined
    else this.brokenAt ??= this.#read
  }

  /** `extra`: where its extra fields begin. */
  #record(bytes: Buffer, at: number, extra: number, extraEnd: number, isWanted: boolean): void {
    if (this.count === this.columns.crc.length) this.columns = grown(this.columns)
    const { columns, count } = this
    const flags = bytes.readUInt16LE(at + 8)
    columns.host[count] = bytes[at + 5]!
    columns.flags[count] = flags
    columns.method[count] = bytes.readUInt16LE(at + 10)
    columns.time[count] = bytes.readUInt32LE(at + 12)
    columns.crc[count] = bytes.readUInt32LE(at + 16)
    columns.compressed[count] = bytes.readUInt32LE(at + 20)
    columns.size[count] = bytes.readUInt32LE(at + 24)
    columns.attributes[count] = bytes.readUInt32LE(at + 38)
    columns.offset[count] = bytes.readUInt32LE(at + 42)
    columns.marks[count] = flags & FLAG.utf8 ? MARK.utf8 : 0
    setName(columns, count, bytes, at + RECORD_SIZE, extra)
    // Some programs set the flag and write what they have.
    if (saysUtf8Wrongly(columns, count)) columns.marks[count]! &= ~MARK.utf8
    if (extraEnd > extra || isUnknown(columns, count)) readExtra(columns, count, bytes, extra, extraEnd)
    columns.offset[count]! += this.#shift
    if (!isWanted && !this.#wanted!.may(columns.names, nameStart(columns, count), columns.nameEnd[count]!)) return
    this.hasUnknownNames ||= (columns.marks[count]! & (MARK.utf8 | MARK.beyondAscii)) === MARK.beyondAscii
    this.count++
  }
}

/** What stands in a field of 32 bits whose value is in the one of Zip64. */
const UNKNOWN = 0xffffffff

export function sumOf(column: Float64Array, entries: Uint32Array): number {
  let sum = 0
  for (let i = 0; i < entries.length; i++) sum += column[entries[i]!]!
  return sum
}

export const nameStart = ({ nameEnd }: Columns, entry: number) => (entry === 0 ? 0 : nameEnd[entry - 1]!)

function saysUtf8Wrongly(columns: Columns, entry: number): boolean {
  const both = MARK.utf8 | MARK.beyondAscii
  if ((columns.marks[entry]! & both) !== both) return false
  return !isUtf8(columns.names, nameStart(columns, entry), columns.nameEnd[entry]!)
}

/** RFC 3629, section 4, but for what is too long or half of a pair. */
function isUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  let more = 0
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!
    const isContinued = (byte & 0xc0) === 0x80
    if (isContinued !== more > 0) return false
    more = isContinued ? more - 1 : continuations(byte)
    if (more < 0) return false
  }
  return more === 0
}

/** How many bytes come after this one; -1: none begins so. */
function continuations(byte: number): number {
  if (byte < 0x80) return 0
  if (byte < 0xc2 || byte >= 0xf5) return -1
  return byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3
}

function setName(columns: Columns, entry: number, bytes: Uint8Array, start: number, end: number): void {
  const { names } = columns
  let to = nameStart(columns, entry)
  let all = 0
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!
    all |= byte
    names[to++] = byte
  }
  columns.nameEnd[entry] = to
  if (all >= 0x80) columns.marks[entry]! |= MARK.beyondAscii
  else columns.marks[entry]! &= ~MARK.beyondAscii
}

function grown(old: Columns): Columns {
  const { names, ...rest } = old
  const bigger = { ...columns(old.crc.length * 2, 0), names }
  for (const [name, column] of Object.entries(rest)) bigger[name as keyof Columns].set(column)
  return bigger
}

// Extra fields, by their ids (APPNOTE 4.5.2, 4.6.1; Info-ZIP's extrafld.txt; WinZip's "AES Encryption Information").
const ZIP64 = 0x0001
const NTFS = 0x000a
const UNIX = 0x000d
const TIMES = 0x5455
const UNIX_OLD = 0x5855
const UNICODE_PATH = 0x7075
const AES = 0x9901

function holds(bytes: Buffer, start: number, end: number, wanted: number): boolean {
  for (let at = start; at + 4 <= end; at += 4 + (bytes[at + 2]! | (bytes[at + 3]! << 8))) {
    if ((bytes[at]! | (bytes[at + 1]! << 8)) === wanted) return true
  }
  return false
}

function readExtra(columns: Columns, entry: number, bytes: Buffer, start: number, end: number): void {
  let at = start
  let hasZip64 = false
  while (at + 4 <= end) {
    const id = bytes.readUInt16LE(at)
    const from = at + 4
    const to = from + bytes.readUInt16LE(at + 2)
    if (to > end) break
    if (id === ZIP64) hasZip64 = readZip64(columns, entry, bytes, from, to)
    else fields.get(id)?.(columns, entry, bytes, from, to)
    at = to
  }
  // Up to three bytes may be left over: some programs align data with them.
  if (at + 4 <= end) columns.marks[entry]! |= MARK.badExtra
  if (isUnknown(columns, entry) && !hasZip64) columns.marks[entry]! |= MARK.badZip64
}

const isUnknown = ({ size, compressed }: Columns, entry: number) =>
  size[entry] === UNKNOWN || compressed[entry] === UNKNOWN

type ReadField = (columns: Columns, entry: number, bytes: Buffer, from: number, to: number) => void

const fields: ReadonlyMap<number, ReadField> = new Map<number, ReadField>([
  [
    TIMES,
    (columns, entry, bytes, from, to) => {
      if (to - from >= 5 && bytes[from]! & 1) setSeconds(columns, entry, bytes.readUInt32LE(from + 1))
    },
  ],
  [UNIX, readUnix],
  [UNIX_OLD, readUnix],
  [NTFS, readNtfs],
  [UNICODE_PATH, readUnicodePath],
  [
    AES,
    (columns, entry, bytes, from, to) => {
      if (to - from < 7) return
      const strength = bytes[from + 4]! & 3
      columns.method[entry] = bytes.readUInt16LE(from + 5)
      columns.marks[entry]! |= MARK.aes | (bytes.readUInt16LE(from) === 2 ? MARK.ae2 : 0) | (strength << 5)
    },
  ],
])

function readZip64(columns: Columns, entry: number, bytes: Buffer, from: number, to: number): boolean {
  let at = from
  // Each is there only when its field has no room for it, and in this order.
  for (const column of [columns.size, columns.compressed, columns.offset]) {
    if (column[entry] !== UNKNOWN) continue
    if (at + 8 > to) return false
    column[entry] = uint64(bytes, at)
    at += 8
  }
  return true
}

function setSeconds(columns: Columns, entry: number, seconds: number): void {
  columns.time[entry] = seconds
  columns.marks[entry]! |= MARK.utc
}

/** The time of the last reading, then that of the last change. */
function readUnix(columns: Columns, entry: number, bytes: Buffer, from: number, to: number): void {
  if (to - from >= 8) setSeconds(columns, entry, bytes.readUInt32LE(from + 4))
}

function readNtfs(columns: Columns, entry: number, bytes: Buffer, from: number, to: number): void {
  const isTimes = to - from >= 32 && bytes.readUInt16LE(from + 4) === 1
  if (!isTimes || columns.marks[entry]! & MARK.utc) return
  const seconds = Math.floor(uint64(bytes, from + 8) / 1e7) - SECONDS_FROM_1601
  if (seconds >= 0 && seconds < 2 ** 31) setSeconds(columns, entry, seconds)
}

const SECONDS_FROM_1601 = 11_644_473_600

/** It holds for the name that it has the CRC of: a program that renames an entry may not know of this field. */
function readUnicodePath(columns: Columns, entry: number, bytes: Buffer, from: number, to: number): void {
  const old = columns.names.subarray(nameStart(columns, entry), columns.nameEnd[entry])
  if (to - from < 6 || bytes[from] !== 1) return
  if (bytes.readUInt32LE(from + 1) !== crc32(old)) {
    columns.marks[entry]! |= MARK.staleName
    return
  }
  setName(columns, entry, bytes, from + 5, to)
  columns.marks[entry]! |= MARK.utf8 | MARK.renamed
}

/** Of a name: there is no need to be quick. The core knows no zlib. */
function crc32(bytes: Uint8Array): number {
  let crc = -1
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1))
  }
  return ~crc >>> 0
}

/** When an entry was last changed, in milliseconds since 1970. MS-DOS wrote the time of the place it was in. */
export function modifiedMs({ time, marks }: Columns, entry: number): number {
  const value = time[entry]!
  if (marks[entry]! & MARK.utc) return (value | 0) * 1000
  const [year, month, day] = [1980 + (value >>> 25), ((value >>> 21) & 15) - 1, (value >>> 16) & 31]
  return new Date(year, month, day, (value >>> 11) & 31, (value >>> 5) & 63, (value & 31) * 2).getTime()
}
