/** What is encrypted, decrypted: by the traditional encryption of PKWARE, or by AES as WinZip does it. */
import { ENDS_EARLY } from '../core/coding.ts'
import { Damaged } from '../core/damaged.ts'
import { Refused } from '../core/refused.ts'
import { ZIPCRYPTO_HEADER, ZipCrypto } from '../core/zipcrypto.ts'
import { type Aes, aesHeader, openAes, openAesLater, SEAL } from './aes.ts'
import type { Stored } from './stored.ts'

const WRONG = 'the password is wrong'
const NOT_SEALED = 'its data was changed after it was encrypted: its seal (HMAC) is another'

/** The number of bytes before what is encrypted, and after it. */
function frame(entry: Stored): { before: number; after: number } {
  if (entry.aes === undefined) return { before: ZIPCRYPTO_HEADER, after: 0 }
  const before = aesHeader(entry.aes.strength)
  if (before === undefined) throw new Error(`AES of the strength ${entry.aes.strength} is not refused`)
  return { before, after: SEAL }
}

/**
 * What `unpack` makes of `data` without its encryption. Throws Refused when the password is wrong, Damaged when the
 * seal of AES is broken, and what `unpack` throws.
 */
export function decrypted<T>(entry: Stored, data: Buffer, password: Uint8Array, unpack: (plain: Buffer) => T): T {
  const { before, after } = frame(entry)
  if (data.length < before + after) throw new Damaged(ENDS_EARLY)
  const header = data.subarray(0, before)
  let doubt: unknown = new Refused('password', WRONG)
  for (const spelling of spellings(password)) {
    const opened = entry.aes === undefined ? openZipCrypto(entry, header, spelling) : openAes(spelling, header)
    if (opened === undefined) continue
    try {
      const content = unpack(plainOf(opened, data.subarray(before), after))
      if (spelling === password) inLatin.delete(password)
      else inLatin.add(password)
      return content
    } catch (error) {
      // One wrong spelling of 256 opens what is encrypted by ZipCrypto.
      if (!(error instanceof Damaged)) throw error
      if (!(doubt instanceof Damaged)) doubt = error
    }
  }
  throw doubt
}

/** `after`: the bytes of the seal at the end of `data`. Throws Damaged where it is broken. */
function plainOf(opened: Opened, data: Buffer, after: number): Buffer {
  const plain = Buffer.allocUnsafe(data.length - after)
  opened.decrypt(data.subarray(0, plain.length), plain)
  if (after > 0) checkSeal(opened, data.subarray(plain.length))
  return plain
}

/** The same for what passes through; what its seal is comes to light at the end. */
export async function* decryptedStream(
  entry: Stored,
  data: AsyncIterable<Buffer>,
  password: Uint8Array,
): AsyncGenerator<Buffer> {
  const { before, after } = frame(entry)
  let opened: Opened | undefined
  let held: Buffer = Buffer.alloc(0)
  for await (const chunk of data) {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    if (held.length < before + after) continue
    if (opened === undefined) {
      const header = held.subarray(0, before)
      opened = await openLater(entry, header, password)
      held = held.subarray(before)
    }
    const body = held.subarray(0, held.length - after)
    const content = Buffer.allocUnsafe(body.length)
    opened.decrypt(body, content)
    held = held.subarray(body.length)
    yield content
  }
  if (opened === undefined) throw new Damaged(ENDS_EARLY)
  if (after > 0) checkSeal(opened, held)
}

type Opened = Aes | ZipCrypto

function checkSeal(opened: Opened, seal: Buffer): void {
  if (!(opened instanceof ZipCrypto) && !opened.isSealed(seal)) throw new Damaged(NOT_SEALED)
}

function openZipCrypto(entry: Stored, header: Buffer, password: Uint8Array): ZipCrypto | undefined {
  // Its last byte is known beforehand; where the CRC was not yet known, from the time (Info-ZIP, crypt.c).
  const known = entry.flags & 8 ? (entry.time >>> 8) & 255 : entry.crc >>> 24
  const opened = new ZipCrypto(password)
  const random = Buffer.alloc(ZIPCRYPTO_HEADER)
  opened.decrypt(header, random)
  return random.at(-1) === known ? opened : undefined
}

async function openLater(entry: Stored, header: Buffer, password: Uint8Array): Promise<Opened> {
  for (const spelling of spellings(password)) {
    const isAes = entry.aes !== undefined
    const opened = isAes ? await openAesLater(spelling, header) : openZipCrypto(entry, header, spelling)
    if (opened !== undefined) return opened
  }
  throw new Refused('password', WRONG)
}

/** Passwords of which the second spelling was right last: what packed one entry has packed the others too. */
const inLatin = new WeakSet<Uint8Array>()

/**
 * The bytes as they were given, and as the older programs of Western Europe would have written the same letters; the
 * likelier ones first.
 */
function spellings(password: Uint8Array): Uint8Array[] {
  if (password.every((byte) => byte < 128)) return [password]
  const text = Buffer.from(password).toString()
  const isLatin = [...text].every((letter) => letter.codePointAt(0)! < 256)
  if (!isLatin) return [password]
  const latin = Buffer.from(text, 'latin1')
  return inLatin.has(password) ? [latin, password] : [password, latin]
}
