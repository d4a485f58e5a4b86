/** An entry of an open archive as one thing: its name, and where its content is. */
import { Damaged } from './core/damaged.ts'
import { type Columns, MARK, METHOD, nameStart } from './core/directory.ts'
import { dataStart, LOCAL_SIZE } from './core/local.ts'
import type { Stored } from './decode/stored.ts'
import type { Source } from './source/source.ts'

export type Decode = (bytes: Uint8Array) => string

/** Names that were looked at last: there are many, and making a Buffer of each takes longer than all else. */
let slab: Buffer = Buffer.alloc(0)

/** `decode`: for names that do not say their encoding. */
export function nameOf(columns: Columns, entry: number, decode: Decode): string {
  const { names, nameEnd, marks } = columns
  if (slab.buffer !== names.buffer) slab = Buffer.from(names.buffer)
  const [start, end] = [nameStart(columns, entry), nameEnd[entry]!]
  const mark = marks[entry]!
  if ((mark & MARK.beyondAscii) === 0) return slab.toString('latin1', start, end)
  // A decoder takes no memory that is shared.
  return mark & MARK.utf8 ? slab.toString('utf8', start, end) : decode(Uint8Array.from(slab.subarray(start, end)))
}

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
  return { ...stored, method: METHOD.aes, aes }
}

/** Bytes of an archive that have been read. */
export interface Piece {
  readonly bytes: Buffer
  /** Where they begin in it. */
  readonly start: number
}

export const NOTHING: Piece = { bytes: Buffer.alloc(0), start: 0 }

/** The local header of an entry, and where its data are. */
export interface Place {
  /** The header is whole in these bytes, and begins there. */
  readonly bytes: Buffer
  readonly header: number
  /** Where its data begin in the archive. */
  readonly data: number
  readonly stored: Stored
}

/** Reads on where the piece does not hold the whole header. Throws Damaged. */
export async function placeOf(source: Source, columns: Columns, entry: number, piece: Piece): Promise<Place> {
  const at = columns.offset[entry]!
  let { bytes, start } = piece
  let data = dataStart(bytes, at - start)
  if (data === undefined || data > bytes.length) {
    checkInside(source, at, LOCAL_SIZE)
    data = dataStart(await source.read(at, at + LOCAL_SIZE), 0)
    if (data === undefined) throw new Damaged('something else stands where its header should be', 'no-header')
    checkInside(source, at, data)
    bytes = await source.read(at, at + data)
    start = at
  }
  const header = at - start
  return { bytes, header, data: start + data, stored: storedOf(columns, entry, bytes.readUInt16LE(header + 10)) }
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
