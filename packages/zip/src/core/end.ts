/** The records at the end of an archive: they say where its directory is (APPNOTE 6.3.10, 4.3.14 to 4.3.16). */

export const END_SIZE = 22
export const COMMENT_MAX = 0xffff
export const LOCATOR_SIZE = 20
export const END64_SIZE = 56

const END = 0x06054b50
const END64 = 0x06064b50
const LOCATOR = 0x07064b50
const UNKNOWN = 0xffffffff
const DIRECTORY = 0x02014b50
export const LOCAL = 0x04034b50

/** What the end of central directory record says; what stands in that of Zip64 has taken the place of it. */
export interface EndRecord {
  /** Where it begins in the archive. */
  readonly at: number
  readonly disk: number
  readonly directoryDisk: number
  readonly entries: number
  readonly directorySize: number
  readonly directoryStart: number
  readonly comment: Buffer
  /** Bytes behind it. */
  readonly trailing: number
}

/** A comment may hold so many that could be one. */
const ENDS_MAX = 64

/**
 * All that could be one in the last bytes of an archive, the last first: a comment may hold what looks like an end, and
 * only the directory tells. `start`: where these bytes begin in it.
 */
export function endsIn(tail: Buffer, start: number): EndRecord[] {
  const found: EndRecord[] = []
  for (let at = tail.length - END_SIZE; at >= 0 && found.length < ENDS_MAX; at--) {
    at = tail.lastIndexOf('PK\u0005\u0006', at, 'latin1')
    if (at < 0) break
    if (at + END_SIZE > tail.length) continue
    const behind = at + END_SIZE + tail.readUInt16LE(at + 20)
    const record = {
      at: start + at,
      disk: tail.readUInt16LE(at + 4),
      directoryDisk: tail.readUInt16LE(at + 6),
      entries: tail.readUInt16LE(at + 10),
      directorySize: tail.readUInt32LE(at + 12),
      directoryStart: tail.readUInt32LE(at + 16),
      comment: tail.subarray(at + END_SIZE, behind),
      trailing: tail.length - behind,
    }
    // The directory is before it, unless Zip64 says where it is.
    if (record.directorySize <= record.at || record.directorySize === UNKNOWN) found.push(record)
  }
  return found
}

/** Where the end record of Zip64 should be; undefined: this is no locator. */
export function locatorIn(bytes: Buffer): { readonly at: number; readonly disk: number } | undefined {
  if (bytes.length < LOCATOR_SIZE || bytes.readUInt32LE(0) !== LOCATOR) return undefined
  return { at: uint64(bytes, 8), disk: bytes.readUInt32LE(4) }
}

/** The end with what its counterpart of Zip64 says; undefined: that is none. `at`: where it was read. */
export function withZip64(end: EndRecord, bytes: Buffer, at: number): EndRecord | undefined {
  if (bytes.length < END64_SIZE || bytes.readUInt32LE(0) !== END64) return undefined
  return {
    ...end,
    at,
    disk: bytes.readUInt32LE(16),
    directoryDisk: bytes.readUInt32LE(20),
    entries: uint64(bytes, 32),
    directorySize: uint64(bytes, 40),
    directoryStart: uint64(bytes, 48),
  }
}

/** Whether a directory begins with these bytes: with a record, or, when it is empty, with the end. */
export function beginsDirectory(bytes: Buffer): boolean {
  const signature = bytes.length < 4 ? 0 : bytes.readUInt32LE(0)
  return signature === DIRECTORY || signature === END || signature === END64
}

/** Beyond 2^53 it is not exact, and lies outside of any archive. */
export const uint64 = (bytes: Buffer, at: number) => bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32

/** What begins with these bytes, when it is no archive of this kind; undefined: it is not known. */
export function kindOf(bytes: Buffer): string | undefined {
  return kinds.find(([magic, at = 0]) =>
    bytes.subarray(at, at + magic.length).equals(Buffer.from(magic, 'latin1')),
  )?.[2]
}

const kinds: readonly (readonly [magic: string, at: number, name: string])[] = [
  ['7z\u00bc\u00af\u0027\u001c', 0, 'a 7z archive'],
  ['Rar!\u001a\u0007', 0, 'a RAR archive'],
  ['\u001f\u008b', 0, 'gzip'],
  ['\u00fd7zXZ', 0, 'xz'],
  ['BZh', 0, 'bzip2'],
  ['\u0028\u00b5\u002f\u00fd', 0, 'zstd'],
  ['ustar', 257, 'a tar archive'],
  ['%PDF', 0, 'a PDF'],
  ['\u007fELF', 0, 'a program'],
  ['<!DOCTYPE', 0, 'a web page'],
  ['<html', 0, 'a web page'],
]
