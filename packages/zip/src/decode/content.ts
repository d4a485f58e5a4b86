/** From the bytes of an entry in its archive to its content: decrypted, unpacked and compared with the directory. */
import { crc32 } from 'node:zlib'
import { Damaged } from '../core/damaged.ts'
import { Refused } from '../core/refused.ts'
import { type Method, methodName, methodOf } from './methods.ts'

/** What the directory says of an entry. */
export interface Stored {
  /** How it is packed; for an entry with `aes`, as the extra field of that says. */
  readonly method: number
  /** General purpose bit flags, APPNOTE.TXT 4.4.4. */
  readonly flags: number
  /** Bytes of its content. */
  readonly size: number
  /** Bytes of its data in the archive, with what encryption adds. */
  readonly compressed: number
  readonly crc: number
  /** The time of day, as DOS counts it. */
  readonly time: number
}

/** Loads what an entry needs that is rarely needed. Throws Refused when it is not read by us. */
export async function prepare(entry: Stored): Promise<void> {
  await methodFor(entry).load?.()
}

/** `data`: all of its data. Throws Damaged or Refused, with the reason but without its name. */
export function contentOf(entry: Stored, data: Buffer): Buffer {
  const content = methodFor(entry).whole(data, entry.size)
  if (crc32(content) !== entry.crc) throw new Damaged(wrongSum(entry, crc32(content)))
  return content
}

/**
 * The same for an entry that is too large for memory. That it is damaged may turn out at the very end: what was made of
 * it until then must not be kept.
 */
export async function* contentStream(entry: Stored, data: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let sum = 0
  for await (const part of methodFor(entry).stream(data, entry.size)) {
    sum = crc32(part, sum)
    yield part
  }
  if (sum !== entry.crc) throw new Damaged(wrongSum(entry, sum))
}

function wrongSum(entry: Stored, sum: number): string {
  return `its CRC-32 is ${hexadecimal(sum)}, and ${hexadecimal(entry.crc)} in the directory`
}

function hexadecimal(sum: number): string {
  return sum.toString(16).padStart(8, '0')
}

function methodFor(entry: Stored): Method {
  const method = methodOf(entry.method)
  if (method !== undefined) return method
  throw new Refused('method', `method ${methodName(entry.method)} is not read by fettle; 7zz x may`)
}
