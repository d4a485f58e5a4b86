/** From the bytes of an entry in its archive to its content: decrypted, unpacked and compared with the directory. */
import { crc32 } from 'node:zlib'
import { Damaged } from '../core/damaged.ts'
import { METHOD } from '../core/directory.ts'
import { type Refusal, Refused } from '../core/refused.ts'
import { type Method, methodName, methodOf } from './methods.ts'
import type { Secret, Stored } from './stored.ts'

const ENCRYPTED = 1
const STRONGLY = 1 << 6
const NO_PASSWORD = 'it is encrypted; give its password with --password-from FILE'

let encryption: typeof import('./encryption.ts') | undefined

/** Why an entry is not read, as far as its directory shows: how it is packed, encrypted, or without a secret. */
export function refusalOf(entry: Stored, secret?: Secret): readonly [Refusal, string] | undefined {
  const reason = unreadable(entry)
  if (reason !== undefined || secret !== undefined || !isEncrypted(entry)) return reason
  return ['encrypted', NO_PASSWORD]
}

/** Loads what an entry needs that is rarely needed; undefined when that is nothing. Throws Refused, as contentOf. */
export function prepare(entry: Stored): Promise<void> | undefined {
  const method = methodFor(entry)
  const needsKey = isEncrypted(entry)
  if (method.load === undefined && (!needsKey || encryption !== undefined)) return undefined
  return loadFor(method, needsKey)
}

async function loadFor(method: Method, needsKey: boolean): Promise<void> {
  await method.load?.()
  if (needsKey) encryption ??= await import('./encryption.ts')
}

/**
 * `data`: all of its data. What it needs must have been loaded by prepare. Throws Damaged or Refused, with the reason
 * but without its name.
 */
export function contentOf(entry: Stored, data: Buffer, secret?: Secret): Buffer {
  const method = methodFor(entry)
  if (!isEncrypted(entry)) return checked(entry, method.whole(data, entry.size))
  const unpack = (plain: Buffer) => checked(entry, method.whole(plain, entry.size))
  try {
    return loaded().decrypted(entry, data, given(secret), unpack)
  } catch (error) {
    throw doubted(entry, error)
  }
}

/**
 * The same for an entry that is too large for memory. That it is damaged may turn out at the very end: what was made of
 * it until then must not be kept.
 */
export async function* contentStream(
  entry: Stored,
  data: AsyncIterable<Buffer>,
  secret?: Secret,
): AsyncGenerator<Buffer> {
  const method = methodFor(entry)
  if (!isEncrypted(entry)) return yield* comparedStream(entry, method.stream(data, entry.size))
  const plain = loaded().decryptedStream(entry, data, given(secret))
  try {
    // Whoever unpacks may leave before the end, and the seal comes after it.
    const unclosed = { [Symbol.asyncIterator]: () => ({ next: () => plain.next() }) }
    yield* comparedStream(entry, method.stream(unclosed, entry.size))
    for await (const _ of plain);
  } catch (error) {
    throw doubted(entry, error)
  } finally {
    await plain.return(undefined)
  }
}

async function* comparedStream(entry: Stored, parts: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let sum = 0
  for await (const part of parts) {
    sum = crc32(part, sum)
    yield part
  }
  compare(entry, sum)
}

function checked(entry: Stored, content: Buffer): Buffer {
  compare(entry, crc32(content))
  return content
}

function compare(entry: Stored, sum: number): void {
  if (sum === entry.crc || entry.aes?.version === 2) return
  throw new Damaged(`its CRC-32 is ${hexadecimal(sum)}, and ${hexadecimal(entry.crc)} in the directory`, 'crc')
}

function hexadecimal(sum: number): string {
  return sum.toString(16).padStart(8, '0')
}

function methodFor(entry: Stored): Method {
  if (entry.method === METHOD.aes && entry.aes === undefined) throw new Damaged('it lacks the field that AES needs')
  const reason = unreadable(entry)
  if (reason !== undefined) throw new Refused(...reason)
  return methodOf(packing(entry))!
}

function packing(entry: Stored): number {
  return entry.aes?.method ?? entry.method
}

function isEncrypted(entry: Stored): boolean {
  return (entry.flags & ENCRYPTED) !== 0
}

/** Whatever is given with it. */
function unreadable(entry: Stored): readonly [Refusal, string] | undefined {
  const id = packing(entry)
  const isNamed = id === METHOD.aes && entry.aes === undefined
  if (methodOf(id) === undefined && !isNamed) {
    return ['method', `method ${methodName(id)} is not read by fettle; 7zz x may`]
  }
  if (!isEncrypted(entry)) return undefined
  if (entry.flags & STRONGLY) {
    return ['encrypted', 'the strong encryption of PKWARE is not read by fettle; PKZIP does']
  }
  const { strength } = entry.aes ?? { strength: 1 }
  return strength >= 1 && strength <= 3 ? undefined : ['encrypted', `AES of the strength ${strength} is not known`]
}

function given(secret: Secret | undefined): Secret {
  if (secret !== undefined) return secret
  throw new Refused('encrypted', NO_PASSWORD)
}

function loaded(): typeof import('./encryption.ts') {
  if (encryption === undefined) throw new Error('an encrypted entry was not prepared')
  return encryption
}

/** The traditional encryption takes one wrong password of 256 for the right one. */
function doubted(entry: Stored, error: unknown): unknown {
  if (entry.aes !== undefined || !(error instanceof Damaged)) return error
  const message = `${error.message}; or the password is wrong, which this encryption notices nearly always only`
  return new Damaged(message, error.kind)
}
