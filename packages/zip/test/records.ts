/** Records of a directory, written by hand: what is read is held against them. */
import { Directory, type Wanted } from '../src/core/directory.ts'

export interface Fields {
  readonly name: string | Uint8Array
  readonly host?: number
  readonly flags?: number
  readonly method?: number
  /** Date and time of MS-DOS. */
  readonly time?: number
  readonly crc?: number
  readonly compressed?: number
  readonly size?: number
  readonly attributes?: number
  readonly offset?: number
  readonly extra?: Uint8Array
  readonly comment?: Uint8Array
}

const NOTHING = new Uint8Array(0)
const LITTLE = true

/** The central record of an entry. */
export function record(fields: Fields): Buffer {
  const { extra = NOTHING, comment = NOTHING } = fields
  const name = Buffer.from(fields.name as string)
  const head = new DataView(new ArrayBuffer(46))
  head.setUint32(0, 0x02014b50, LITTLE)
  head.setUint8(5, fields.host ?? 3)
  head.setUint16(8, fields.flags ?? 0, LITTLE)
  head.setUint16(10, fields.method ?? 8, LITTLE)
  head.setUint32(12, fields.time ?? 0, LITTLE)
  head.setUint32(16, fields.crc ?? 0, LITTLE)
  head.setUint32(20, fields.compressed ?? 0, LITTLE)
  head.setUint32(24, fields.size ?? 0, LITTLE)
  head.setUint16(28, name.length, LITTLE)
  head.setUint16(30, extra.length, LITTLE)
  head.setUint16(32, comment.length, LITTLE)
  head.setUint32(38, fields.attributes ?? 0, LITTLE)
  head.setUint32(42, fields.offset ?? 0, LITTLE)
  return Buffer.concat([new Uint8Array(head.buffer), name, extra, comment])
}

/** The header before the data of an entry. */
export function header(fields: Fields): Buffer {
  const { extra = NOTHING } = fields
  const name = Buffer.from(fields.name as string)
  const head = new DataView(new ArrayBuffer(30))
  head.setUint32(0, 0x04034b50, LITTLE)
  head.setUint16(6, fields.flags ?? 0, LITTLE)
  head.setUint16(8, fields.method ?? 8, LITTLE)
  head.setUint32(10, fields.time ?? 0, LITTLE)
  head.setUint32(14, fields.crc ?? 0, LITTLE)
  head.setUint32(18, fields.compressed ?? 0, LITTLE)
  head.setUint32(22, fields.size ?? 0, LITTLE)
  head.setUint16(26, name.length, LITTLE)
  head.setUint16(28, extra.length, LITTLE)
  return Buffer.concat([new Uint8Array(head.buffer), name, extra])
}

/** An extra field: bytes, or numbers of 64 bits. */
export function field(id: number, body: Uint8Array | readonly number[]): Buffer {
  const bytes = body instanceof Uint8Array ? body : new Uint8Array(BigUint64Array.from(body.map(BigInt)).buffer)
  return Buffer.concat([Uint8Array.of(id & 255, id >> 8, bytes.length & 255, bytes.length >> 8), bytes])
}

/** `cuts`: how many bytes come at a time, again and again. */
export function readAll(bytes: Buffer, cuts: readonly number[], shift = 0, wanted?: Wanted): Directory {
  const directory = new Directory(2, bytes.length, shift, wanted)
  let left = Buffer.alloc(0)
  let i = 0
  for (let at = 0; at < bytes.length && directory.brokenAt === undefined; ) {
    const next = Math.min(at + cuts[i++ % cuts.length]!, bytes.length)
    const chunk = Buffer.concat([left, bytes.subarray(at, next)])
    left = chunk.subarray(directory.feed(chunk))
    at = next
  }
  directory.finish(left)
  return directory
}

export const directoryOf = (entries: readonly Fields[]) => readAll(Buffer.concat(entries.map(record)), [1 << 20])
