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

/** `data` without its encryption. Throws Refused when the password is wrong, Damaged when the seal of AES is broken. */
export function decrypted(entry: Stored, data: Buffer, password: Uint8Array): Buffer {
  const { before, after } = frame(entry)
  if (data.length < before + after) throw new Damaged(ENDS_EARLY)
  const header = data.subarray(0, before)
  const opened = entry.aes === undefined ? openZipCrypto(entry, header, password) : openWith(header, password)
  const body = data.subarray(before, data.length - after)
  const content = Buffer.allocUnsafe(body.length)
  opened.decrypt(body, content)
  if (after > 0) checkSeal(opened, data.subarray(data.length - after))
  return content
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
      opened = await (entry.aes === undefined ? openZipCrypto(entry, header, password) : openLater(header, password))
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

function openZipCrypto(entry: Stored, header: Buffer, password: Uint8Array): ZipCrypto {
  // Its last byte is known beforehand; where the CRC was not yet known, from the time (Info-ZIP, crypt.c).
  const known = entry.flags & 8 ? (entry.time >>> 8) & 255 : entry.crc >>> 24
  for (const bytes of spellings(password)) {
    const opened = new ZipCrypto(bytes)
    const random = Buffer.alloc(ZIPCRYPTO_HEADER)
    opened.decrypt(header, random)
    if (random.at(-1) === known) return opened
  }
  throw new Refused('password', WRONG)
}

function openWith(header: Buffer, password: Uint8Array): Aes {
  for (const bytes of spellings(password)) {
    const opened = openAes(bytes, header)
    if (opened !== undefined) return opened
  }
  throw new Refused('password', WRONG)
}

async function openLater(header: Buffer, password: Uint8Array): Promise<Aes> {
  for (const bytes of spellings(password)) {
    const opened = await openAesLater(bytes, header)
    if (opened !== undefined) return opened
  }
  throw new Refused('password', WRONG)
}

/** The bytes as they were given, and as the older programs of Western Europe would have written the same letters. */
function spellings(password: Uint8Array): Uint8Array[] {
  if (password.every((byte) => byte < 128)) return [password]
  const text = Buffer.from(password).toString()
  const isLatin = [...text].every((letter) => letter.codePointAt(0)! < 256)
  return isLatin ? [password, Buffer.from(text, 'latin1')] : [password]
}
