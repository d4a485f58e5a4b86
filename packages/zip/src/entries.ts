/** An entry of an open archive as one thing: its name, what it is, and where its content is. */
import { Damaged } from './core/damaged.ts'
import { type Columns, FLAG, HOST, MARK, nameStart } from './core/directory.ts'
import { dataStart, LOCAL_SIZE } from './core/local.ts'
import type { Stored } from './decode/stored.ts'
import type { Source } from './source/source.ts'

export type Decode = (bytes: Uint8Array) => string

/** `decode`: for names that do not say their encoding. */
export function nameOf(columns: Columns, entry: number, decode: Decode): string {
  const { names, nameEnd, marks } = columns
  const bytes = Buffer.from(names.buffer, nameStart(columns, entry), nameEnd[entry]! - nameStart(columns, entry))
  const mark = marks[entry]!
  if ((mark & MARK.beyondAscii) === 0) return bytes.toString('latin1')
  // A decoder takes no memory that is shared.
  return mark & MARK.utf8 ? bytes.toString('utf8') : decode(Uint8Array.from(bytes))
}

export type Kind = 'file' | 'folder' | 'link' | 'special'

const KINDS = new Map<number, Kind>([
  [4, 'folder'],
  [8, 'file'],
  [10, 'link'],
])
const FOLDER_OF_DOS = 0x10

/** Whether these attributes are those of Unix. */
export const isUnix = (host: number) => host === HOST.unix || host === HOST.darwin
export const isDos = (host: number) => host === HOST.dos || host === HOST.ntfs || host === HOST.vfat

/** By its attributes and the end of its name. */
export function kindOf({ attributes, host, names, nameEnd }: Columns, entry: number): Kind {
  const end = nameEnd[entry]!
  const last = names[end - 1]
  const value = attributes[entry]!
  const type = isUnix(host[entry]!) ? value >>> 28 : 0
  if (last === 0x2f) return 'folder'
  if (last === 0x5c && isDos(host[entry]!)) return 'folder'
  if (type !== 0) return KINDS.get(type) ?? 'special'
  return value & FOLDER_OF_DOS && isDos(host[entry]!) ? 'folder' : 'file'
}

/** Its permissions, without setuid, setgid and sticky; undefined: it says nothing of them. */
export function modeOf({ attributes, host }: Columns, entry: number): number | undefined {
  const value = attributes[entry]!
  // Without a type nobody has said anything.
  if (isUnix(host[entry]!)) return value >>> 16 === 0 ? undefined : (value >>> 16) & 0o7777
  return value & 1 && (value & FOLDER_OF_DOS) === 0 ? 0o444 : undefined
}

export const isEncrypted = ({ flags }: Columns, entry: number) => (flags[entry]! & FLAG.encrypted) !== 0

const METHOD_AES = 99

/** `time`: of the local header, which ZipCrypto checks passwords by. */
export function storedOf(columns: Columns, entry: number, time: number): Stored {
  const marks = columns.marks[entry]!
  const method = columns.method[entry]!
  const stored = {
    method,
    flags: columns.flags[entry]!,
    size: columns.size[entry]!,
    compressed: columns.compressed[entry]!,
    crc: columns.crc[entry]!,
    time,
  }
  if ((marks & MARK.aes) === 0) return stored
  const aes = { version: marks & MARK.ae2 ? 2 : 1, strength: (marks & MARK.aesStrength) >>> 5, method }
  return { ...stored, method: METHOD_AES, aes }
}

/** Bytes of an archive that have been read. */
export interface Piece {
  readonly bytes: Buffer
  /** Where they begin in it. */
  readonly start: number
}

/** The local header of an entry and the place of its data. Throws Damaged. */
export interface Place {
  /** Where the header begins in the piece. */
  readonly header: number
  /** Where its data begin in the archive. */
  readonly data: number
}

/** Reads on where the piece does not hold the whole header. Throws Damaged. */
export async function headerOf(source: Source, columns: Columns, entry: number, piece: Piece): Promise<[Piece, Place]> {
  const at = columns.offset[entry]!
  let held = piece
  let header = at - piece.start
  let data = dataStart(piece.bytes, header)
  if (data === undefined || data > piece.bytes.length) {
    checkInside(source, at, LOCAL_SIZE)
    const fixed = await source.read(at, at + LOCAL_SIZE)
    data = dataStart(fixed, 0)
    if (data === undefined) throw new Damaged('something else stands where its header should be', 'no-header')
    checkInside(source, at, data)
    held = { bytes: await source.read(at, at + data), start: at }
    header = 0
  }
  return [held, { header, data: held.start + data }]
}

/** All of the data of an entry. Throws Damaged. */
export async function dataOf(
  source: Source,
  columns: Columns,
  entry: number,
  piece: Piece,
  at: number,
): Promise<Buffer> {
  const compressed = columns.compressed[entry]!
  const from = at - piece.start
  if (from >= 0 && from + compressed <= piece.bytes.length) return piece.bytes.subarray(from, from + compressed)
  checkInside(source, at, compressed)
  return await source.read(at, at + compressed)
}

/** The same in parts. Throws Damaged. */
export async function* dataStream(source: Source, columns: Columns, entry: number, at: number): AsyncGenerator<Buffer> {
  const stop = at + columns.compressed[entry]!
  checkInside(source, at, stop - at)
  const { piece } = source.pace
  for (let from = at; from < stop; from += piece) yield await source.read(from, Math.min(from + piece, stop))
}

function checkInside(source: Source, at: number, length: number): void {
  if (!(at >= 0 && at + length <= source.size))
    throw new Damaged('its data would go on beyond the end of the archive', 'outside')
}
