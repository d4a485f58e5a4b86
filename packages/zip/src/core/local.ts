/** The local header before the data of an entry (APPNOTE 6.3.10, section 4.3.7). */
import { type Columns, FLAG, MARK, METHOD, nameStart } from './directory.ts'
import { LOCAL } from './end.ts'

export const LOCAL_SIZE = 30

/** Where the data begin, counted from the beginning of `bytes`; undefined: there is no local header. */
export function dataStart(bytes: Buffer, at: number): number | undefined {
  if (at < 0 || at + LOCAL_SIZE > bytes.length || bytes.readUInt32LE(at) !== LOCAL) return undefined
  return at + LOCAL_SIZE + bytes.readUInt16LE(at + 26) + bytes.readUInt16LE(at + 28)
}

/**
 * What the local header says otherwise than the directory, in a few words; undefined: nothing. Two programs may then
 * see two different things in one archive. The header is whole in `bytes`.
 */
export function disagreement(bytes: Buffer, at: number, columns: Columns, entry: number): string | undefined {
  const nameLength = bytes.readUInt16LE(at + 26)
  const start = nameStart(columns, entry)
  const name = at + LOCAL_SIZE
  const isSameName =
    nameLength === columns.nameEnd[entry]! - start &&
    bytes.compare(columns.names, start, start + nameLength, name, name + nameLength) === 0
  const flags = bytes.readUInt16LE(at + 6)
  const method = bytes.readUInt16LE(at + 8)
  const hasSizes = (flags & FLAG.descriptor) === 0 && (columns.flags[entry]! & FLAG.masked) === 0
  // A name from an extra field is not the one of the record: then there is nothing to compare with.
  if (!isSameName && (columns.marks[entry]! & MARK.renamed) === 0) return 'another name'
  if (method !== columns.method[entry] && method !== METHOD.aes) return 'another method'
  if ((flags ^ columns.flags[entry]!) & FLAG.encrypted) return 'that it is encrypted, or is not'
  if (!hasSizes) return undefined
  const compressed = bytes.readUInt32LE(at + 18)
  if (compressed !== 0xffffffff && compressed !== columns.compressed[entry]) return 'another size'
  const size = bytes.readUInt32LE(at + 22)
  if (size !== 0xffffffff && size !== columns.size[entry]) return 'another size'
  return bytes.readUInt32LE(at + 14) === columns.crc[entry] ? undefined : 'another CRC'
}
