/** The traditional encryption of PKWARE, APPNOTE.TXT 6.1. It keeps no secret from anybody who means to know it. */

export const ZIPCRYPTO_HEADER = 12

const TABLE = Int32Array.from({ length: 256 }, (_, start) => {
  let value = start
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  return value
})

export class ZipCrypto {
  #key0 = 0x12345678
  #key1 = 0x23456789
  #key2 = 0x34567890

  constructor(password: Uint8Array) {
    for (const byte of password) this.#stir(byte)
  }

  #stir(byte: number): void {
    this.#key0 = TABLE[(this.#key0 ^ byte) & 255]! ^ (this.#key0 >>> 8)
    this.#key1 = (Math.imul(this.#key1 + (this.#key0 & 255), 134775813) + 1) | 0
    this.#key2 = TABLE[(this.#key2 ^ (this.#key1 >>> 24)) & 255]! ^ (this.#key2 >>> 8)
  }

  /** What comes next, decrypted; as long as `data`. */
  decrypt(data: Uint8Array, content: Uint8Array): void {
    let key0 = this.#key0
    let key1 = this.#key1
    let key2 = this.#key2
    const { length } = data
    for (let index = 0; index < length; index++) {
      const half = key2 | 2
      const byte = data[index]! ^ ((Math.imul(half, half ^ 1) >>> 8) & 255)
      content[index] = byte
      key0 = TABLE[(key0 ^ byte) & 255]! ^ (key0 >>> 8)
      key1 = (Math.imul(key1 + (key0 & 255), 134775813) + 1) | 0
      key2 = TABLE[(key2 ^ (key1 >>> 24)) & 255]! ^ (key2 >>> 8)
    }
    this.#key0 = key0
    this.#key1 = key1
    this.#key2 = key2
  }
}
