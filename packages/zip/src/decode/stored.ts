/** What decoding asks of the directory of an archive. */

export interface Stored {
  /** How it is packed. Of an entry with `aes` the directory says 99, and it is `aes.method` that counts. */
  readonly method: number
  /** General purpose bit flags, APPNOTE.TXT 4.4.4. */
  readonly flags: number
  /** Bytes of its content. */
  readonly size: number
  /** Bytes of its data in the archive, with what encryption adds. */
  readonly compressed: number
  readonly crc: number
  /** The time of day as DOS counts it, of the local header and of the directory alike. */
  readonly time: number
  /** The extra field 0x9901. */
  readonly aes?: AesField | undefined
}

export interface AesField {
  /** 1: AE-1, has a CRC-32 beside its seal. 2: AE-2, has none. */
  readonly version: number
  /** 1, 2, 3: a key of 128, 192 or 256 bits. */
  readonly strength: number
  readonly method: number
}

/** The bytes of a password, as the program had them that encrypted. */
export type Secret = Uint8Array
