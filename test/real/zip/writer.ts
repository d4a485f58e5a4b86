/** Writes archives byte by byte, as APPNOTE.TXT 6.3.10 says; each field can be made to lie. */
import { constants, crc32, deflateRawSync, zstdCompressSync } from 'node:zlib'

/** A file in an archive. What is not given is as an honest program on Linux writes it. */
export interface Entry {
  /** A string is written as UTF-8, with bit 11 where it is not ASCII; bytes as they are, without it. */
  readonly name: string | Uint8Array
  /** What it holds. */
  readonly content?: string | Uint8Array
  /** How it is compressed: 0, 8 or 93; any other number needs `data`. */
  readonly method?: number
  /** The compressed bytes, where they are not those of `content`. */
  readonly data?: Uint8Array
  /** The system that it was made on: 3 is Unix, 0 is DOS. */
  readonly host?: number
  /** The mode of a Unix file, with its type. */
  readonly mode?: number
  /** DOS date and time, as two numbers of 16 bits. */
  readonly modified?: readonly [date: number, time: number]
  readonly comment?: Uint8Array
  /** Of both headers. */
  readonly extra?: Uint8Array
  /** Sizes and offset in zip64's extra field. */
  readonly isZip64?: true
  /** CRC and sizes follow the data. */
  readonly hasDescriptor?: true
  /** Nobody lists it. */
  readonly isHidden?: true
  /** It has no place of its own: its record in the directory names that of another entry, by number. */
  readonly sharesWith?: number
  /** What is untrue in its header, and in its record in the directory. */
  readonly local?: Lies
  readonly central?: Lies
}

/** In the order of APPNOTE.TXT 4.3.7 and 4.3.12. */
export interface Fields {
  readonly signature: number
  readonly madeBy: number
  readonly version: number
  readonly flags: number
  readonly method: number
  readonly time: number
  readonly date: number
  readonly crc: number
  readonly compressed: number
  readonly size: number
  readonly nameLength: number
  readonly extraLength: number
  readonly commentLength: number
  readonly disk: number
  readonly internal: number
  readonly external: number
  readonly offset: number
  readonly name: Uint8Array
  readonly extra: Uint8Array
  readonly comment: Uint8Array
}
export type Lies = Partial<Fields>

/** The record at the end, 4.3.16. */
export interface End {
  readonly disk: number
  readonly directoryDisk: number
  readonly entriesHere: number
  readonly entries: number
  readonly size: number
  readonly offset: number
  readonly commentLength: number
}

export interface Archive {
  readonly entries: readonly Entry[]
  readonly comment?: Uint8Array
  /** What stands before it; no offset knows of it unless `isAdjusted`. */
  readonly prefix?: Uint8Array
  readonly isAdjusted?: true
  /** What stands between the last file and the directory. */
  readonly gap?: Uint8Array
  /** What stands after it. */
  readonly tail?: Uint8Array
  /** What is untrue in the record at its end. */
  readonly end?: Partial<End>
  /** It has a zip64 record and locator, in which these are untrue. */
  readonly end64?: Partial<Pick<End, 'entries' | 'size' | 'offset'>> & { readonly locator?: number }
}

const NONE = new Uint8Array(0)
export const FILE = 0o100644
export const FOLDER = 0o040755
export const LINK = 0o120777
/** 2024-02-29 12:34:56. */
const MODIFIED = [((2024 - 1980) << 9) | (2 << 5) | 29, (12 << 11) | (34 << 5) | (56 >> 1)] as const
const LIMIT = 0xffffffff

/** An archive as it stands in a file. */
export function zip({ entries, prefix = NONE, isAdjusted, gap = NONE, ...rest }: Archive): Buffer {
  const parts: Uint8Array[] = [prefix]
  const start = isAdjusted ? prefix.length : 0
  let offset = start
  const places: number[] = []
  const records: Buffer[] = []
  for (const entry of entries) {
    const place = entry.sharesWith === undefined ? offset : places[entry.sharesWith]!
    places.push(place)
    const fields = fieldsOf(entry, place)
    if (entry.sharesWith === undefined) {
      const written = [localHeader({ ...fields, ...localOf(entry, fields), ...entry.local }), dataOf(entry)]
      if (entry.hasDescriptor) written.push(descriptor(fields, entry.isZip64 === true))
      parts.push(...written)
      offset += lengthOf(written)
    }
    if (!entry.isHidden) records.push(centralRecord({ ...fields, ...centralOf(entry, fields), ...entry.central }))
  }
  const size = lengthOf(records)
  const end = { entries: records.length, size, offset: offset + gap.length }
  return Buffer.concat([...parts, gap, ...records, ...endRecords(end, rest)])
}

function fieldsOf(entry: Entry, offset: number): Fields {
  const { name, host = 3, mode = FILE, extra = NONE, comment = NONE, method = 8 } = entry
  const [date, time] = entry.modified ?? MODIFIED
  const isText = typeof name === 'string'
  const bytes = isText ? Buffer.from(name) : name
  const content = contentOf(entry)
  const isUtf8 = isText && bytes.length !== name.length
  return {
    signature: 0,
    madeBy: (host << 8) | 30,
    version: entry.isZip64 ? 45 : 20,
    flags: (isUtf8 ? 1 << 11 : 0) | (entry.hasDescriptor ? 1 << 3 : 0),
    method,
    time,
    date,
    crc: crc32(content),
    compressed: dataOf(entry).length,
    size: content.length,
    nameLength: bytes.length,
    extraLength: extra.length,
    commentLength: comment.length,
    disk: 0,
    internal: 0,
    external: host === 3 ? mode * 2 ** 16 + ((mode & 0o170000) === 0o040000 ? 0x10 : 0) : 0x20,
    offset,
    name: bytes,
    extra,
    comment,
  }
}

function contentOf({ content = NONE }: Entry): Uint8Array {
  return typeof content === 'string' ? Buffer.from(content) : content
}

function dataOf(entry: Entry): Uint8Array {
  if (entry.data !== undefined) return entry.data
  return compress(contentOf(entry), entry.method ?? 8)
}

export function compress(content: Uint8Array, method: number): Uint8Array {
  if (method === 0) return content
  if (method === 8) return deflateRawSync(content)
  if (method === 93) return zstdCompressSync(content)
  throw new Error(`method ${method} needs its data`)
}

/** What the header says otherwise than the directory though it is honest. */
function localOf(entry: Entry, fields: Fields): Lies {
  if (entry.isZip64) return zip64(fields, [fields.size, fields.compressed], entry.hasDescriptor === true)
  return entry.hasDescriptor ? { crc: 0, compressed: 0, size: 0 } : {}
}

function centralOf(entry: Entry, fields: Fields): Lies {
  if (!entry.isZip64) return {}
  return { ...zip64(fields, [fields.size, fields.compressed, fields.offset], false), offset: LIMIT }
}

function zip64(fields: Fields, numbers: readonly number[], isLater: boolean): Lies {
  const body = Buffer.alloc(8 * numbers.length)
  for (const [i, number] of numbers.entries()) body.writeBigUInt64LE(isLater ? 0n : BigInt(number), 8 * i)
  const extra = Buffer.concat([field(1, body), fields.extra])
  return { size: LIMIT, compressed: LIMIT, extra, extraLength: extra.length, ...(isLater ? { crc: 0 } : {}) }
}

/** An extra field, 4.5. */
export function field(id: number, body: Uint8Array, length = body.length): Buffer {
  return Buffer.concat([u16(id, length), body])
}

/** A record after the data, 4.3.9, with its signature. */
function descriptor({ crc, compressed, size }: Fields, isLong: boolean): Buffer {
  const sizes = isLong ? u64(compressed, size) : u32(compressed, size)
  return Buffer.concat([u32(0x08074b50, crc), sizes])
}

export function localHeader(fields: Fields): Buffer {
  const { signature, version, flags, method, time, date, crc, compressed, size, nameLength, extraLength } = fields
  const head = Buffer.alloc(30)
  head.writeUInt32LE(signature || 0x04034b50, 0)
  put16(head, 4, version, flags, method, time, date)
  put32(head, 14, crc, compressed, size)
  put16(head, 26, nameLength, extraLength)
  return Buffer.concat([head, fields.name, fields.extra])
}

export function centralRecord(fields: Fields): Buffer {
  const { signature, madeBy, version, flags, method, time, date, crc, compressed, size } = fields
  const head = Buffer.alloc(46)
  head.writeUInt32LE(signature || 0x02014b50, 0)
  put16(head, 4, madeBy, version, flags, method, time, date)
  put32(head, 16, crc, compressed, size)
  put16(head, 28, fields.nameLength, fields.extraLength, fields.commentLength, fields.disk, fields.internal)
  put32(head, 38, fields.external, fields.offset)
  return Buffer.concat([head, fields.name, fields.extra, fields.comment])
}

type Directory = Pick<End, 'entries' | 'size' | 'offset'>

/** What follows the directory. Numbers that are too large for the short record are in a long one. */
export function endRecords(of: Directory, { comment = NONE, tail = NONE, end, end64 }: Omit<Archive, 'entries'>) {
  const isLong = end64 !== undefined || of.entries > 0xfffe || of.size >= LIMIT || of.offset >= LIMIT
  const short: End = {
    disk: 0,
    directoryDisk: 0,
    entriesHere: isLong ? 0xffff : of.entries,
    entries: isLong ? 0xffff : of.entries,
    size: isLong ? LIMIT : of.size,
    offset: isLong ? LIMIT : of.offset,
    commentLength: comment.length,
    ...end,
  }
  const long = isLong ? longEnd({ ...of, ...end64 }, end64?.locator ?? of.offset + of.size) : NONE
  return [long, shortEnd(short), comment, tail]
}

function longEnd({ entries, size, offset }: Directory, at: number): Buffer {
  return Buffer.concat([
    ...[u32(0x06064b50), u64(44), u16(0x031e, 45), u32(0, 0), u64(entries, entries, size, offset)],
    ...[u32(0x07064b50, 0), u64(at), u32(1)],
  ])
}

export function shortEnd({ disk, directoryDisk, entriesHere, entries, size, offset, commentLength }: End): Buffer {
  const parts = [u32(0x06054b50), u16(disk, directoryDisk, entriesHere, entries), u32(size, offset)]
  return Buffer.concat([...parts, u16(commentLength)])
}

/** A place at which deflated data can be joined: it ends at a byte, and is not the last block. */
export function deflatedPiece(content: Uint8Array): Buffer {
  return deflateRawSync(content, { finishFlush: constants.Z_FULL_FLUSH })
}

/** The last block of what was joined. */
export const deflatedEnd = Buffer.from([3, 0])

function put16(into: Buffer, at: number, ...numbers: number[]): void {
  for (const [i, number] of numbers.entries()) into.writeUInt16LE(number & 0xffff, at + 2 * i)
}

function put32(into: Buffer, at: number, ...numbers: number[]): void {
  for (const [i, number] of numbers.entries()) into.writeUInt32LE(number >>> 0, at + 4 * i)
}

export function u16(...numbers: number[]): Buffer {
  const bytes = Buffer.alloc(2 * numbers.length)
  put16(bytes, 0, ...numbers)
  return bytes
}

export function u32(...numbers: number[]): Buffer {
  const bytes = Buffer.alloc(4 * numbers.length)
  put32(bytes, 0, ...numbers)
  return bytes
}

function u64(...numbers: number[]): Buffer {
  const bytes = Buffer.alloc(8 * numbers.length)
  for (const [i, number] of numbers.entries()) bytes.writeBigUInt64LE(BigInt(number), 8 * i)
  return bytes
}

const lengthOf = (parts: readonly Uint8Array[]) => parts.reduce((sum, { length }) => sum + length, 0)
