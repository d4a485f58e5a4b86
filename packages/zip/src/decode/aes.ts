/**
 * The AES encryption of WinZip, AE-1 and AE-2 (https://www.winzip.com/en/support/aes-encryption): a salt, two bytes by
 * which a wrong password is known, what is encrypted, and the first ten bytes of its HMAC-SHA1.
 */
import { type Cipheriv, createCipheriv, createHmac, type Hmac, pbkdf2, pbkdf2Sync, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

const ROUNDS = 1000
const CHECK = 2
export const SEAL = 10
const BLOCK = 16
/** Of the stream of key bytes that is made at a time. */
const STREAM = 1 << 14

/** Bytes of the key, by the strength in the extra field. */
const KEYS: Readonly<Record<number, number>> = { 1: 16, 2: 24, 3: 32 }

/** Bytes before the data; undefined for a strength that there is not. */
export function aesHeader(strength: number): number | undefined {
  const key = KEYS[strength]
  return key === undefined ? undefined : key / 2 + CHECK
}

/** undefined: the password is wrong. `header`: as many bytes as aesHeader says. */
export function openAes(password: Uint8Array, header: Uint8Array): Aes | undefined {
  const { salt, length } = shape(header)
  return withKeys(header, pbkdf2Sync(password, salt, ROUNDS, length, 'sha1'))
}

/** The same, without being in anybody's way. */
export async function openAesLater(password: Uint8Array, header: Uint8Array): Promise<Aes | undefined> {
  const { salt, length } = shape(header)
  return withKeys(header, await promisify(pbkdf2)(password, salt, ROUNDS, length, 'sha1'))
}

function shape(header: Uint8Array): { salt: Uint8Array; length: number } {
  const salt = header.subarray(0, -CHECK)
  // A key to encrypt, one to seal, each twice as long as the salt.
  return { salt, length: salt.length * 4 + CHECK }
}

function withKeys(header: Uint8Array, keys: Buffer): Aes | undefined {
  if (!timingSafeEqual(keys.subarray(-CHECK), header.subarray(-CHECK))) return undefined
  const length = (keys.length - CHECK) / 2
  return new Aes(keys.subarray(0, length), keys.subarray(length, 2 * length))
}

export class Aes {
  readonly #cipher: Cipheriv
  readonly #hmac: Hmac
  /** Numbers of blocks, which encrypted are the stream of key bytes. They count from their first byte on. */
  readonly #counters = Buffer.alloc(STREAM)
  #block = 1
  #stream: Buffer = Buffer.alloc(0)

  constructor(key: Buffer, sealKey: Buffer) {
    this.#cipher = createCipheriv(`aes-${key.length * 8}-ecb`, key, null).setAutoPadding(false)
    this.#hmac = createHmac('sha1', sealKey)
  }

  /** What comes next, decrypted; as long as `data`. */
  decrypt(data: Uint8Array, content: Uint8Array): void {
    this.#hmac.update(data)
    for (let at = 0; at < data.length; ) {
      if (this.#stream.length === 0) this.#stream = this.#next(data.length - at)
      const stream = this.#stream
      const count = Math.min(stream.length, data.length - at)
      for (let index = 0; index < count; index++) content[at + index] = data[at + index]! ^ stream[index]!
      this.#stream = stream.subarray(count)
      at += count
    }
  }

  #next(wanted: number): Buffer {
    const length = Math.min(STREAM, Math.ceil(wanted / BLOCK) * BLOCK)
    for (let at = 0; at < length; at += BLOCK) {
      this.#counters.writeUInt32LE(this.#block % 2 ** 32, at)
      this.#counters.writeUInt32LE(Math.floor(this.#block / 2 ** 32), at + 4)
      this.#block++
    }
    return this.#cipher.update(this.#counters.subarray(0, length))
  }

  /** Once, after all was decrypted: is it what was encrypted? */
  isSealed(seal: Uint8Array): boolean {
    return timingSafeEqual(this.#hmac.digest().subarray(0, SEAL), seal)
  }
}
