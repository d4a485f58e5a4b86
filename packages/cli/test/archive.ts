/** Small archives, written by hand. */
import { crc32, deflateRawSync } from 'node:zlib'

export interface Entry {
  readonly name: string | Uint8Array
  readonly content?: string | Uint8Array
  /** Of Unix, with the type. */
  readonly mode?: number
  /** In the directory, where it is not the one of the content. */
  readonly crc?: number
  /** It is of Zstandard and unpacks to so much, by its word. */
  readonly claims?: number
  /** Says that it is encrypted. */
  readonly isEncrypted?: true
}

const UTF8 = 0x800
/** 2026-11-03 04:12:08. */
const TIME = ((2026 - 1980) << 25) | (11 << 21) | (3 << 16) | (4 << 11) | (12 << 5) | 4

export function archiveOf(entries: readonly Entry[]): Buffer {
  const parts: Buffer[] = []
  const records: Buffer[] = []
  let at = 0
  for (const entry of entries) {
    const content = Buffer.from((entry.content ?? '') as string)
    const data = deflateRawSync(content)
    const name = Buffer.from(entry.name as string)
    const common = Buffer.alloc(26)
    common.writeUInt16LE((typeof entry.name === 'string' ? UTF8 : 0) | (entry.isEncrypted ? 1 : 0), 2)
    common.writeUInt16LE(entry.claims === undefined ? 8 : 93, 4)
    common.writeUInt32LE(TIME, 6)
    common.writeUInt32LE(entry.crc ?? crc32(content), 10)
    common.writeUInt32LE(data.length, 14)
    common.writeUInt32LE(entry.claims === undefined ? content.length : 0xffffffff, 18)
    common.writeUInt16LE(name.length, 22)
    const long = longSize(entry.claims)
    common.writeUInt16LE(long.length, 24)
    const tail = Buffer.alloc(14)
    tail.writeUInt32LE((entry.mode ?? 0o100644) * 65_536, 6)
    tail.writeUInt32LE(at, 10)
    const written = Buffer.concat([Buffer.from('PK\x03\x04'), common, name, long, data])
    parts.push(written)
    at += written.length
    records.push(Buffer.concat([Buffer.from('PK\x01\x02\x1e\x03'), common, tail, name, long]))
  }
  const directory = Buffer.concat(records)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06')
  end.writeUInt16LE(entries.length, 8)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(at, 16)
  return Buffer.concat([...parts, directory, end])
}

/** In a field of Zip64. */
function longSize(bytes: number | undefined): Buffer {
  if (bytes === undefined) return Buffer.alloc(0)
  const field = Buffer.alloc(12)
  field.writeUInt16LE(1, 0)
  field.writeUInt16LE(8, 2)
  field.writeBigUInt64LE(BigInt(bytes), 4)
  return field
}
