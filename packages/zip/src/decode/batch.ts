/**
 * Many small entries unpacked at once. A stream of zlib costs as much as unpacking some kilobytes, so what is packed by
 * Deflate is put behind each other as the members of one gzip file (RFC 1952), with the size and the CRC that the
 * directory says in their trailers.
 */
import { promisify } from 'node:util'
import { constants, crc32, gunzip } from 'node:zlib'

const unpacked = promisify(gunzip)

/** What is unpacked at once at most: entries, and bytes of their data and their content. */
const ENTRIES_MAX = 128
const DATA_MAX = 1 << 20
const CONTENT_MAX = 1 << 21
/** What an entry's data and its content have together is less: larger ones gain nothing. */
export const SMALL = 1 << 17

const HEAD = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255])
const TAIL = 8

export interface Member {
  readonly entry: number
  readonly crc: number
  /** Where its data are. */
  readonly from: number
  readonly to: number
  readonly size: number
}

export class Batch {
  readonly members: Member[] = []
  readonly #bytes = Buffer.allocUnsafe(DATA_MAX)
  #length = 0
  #content = 0

  /** Whether there may be no room for one more of those that are small. */
  get isFull(): boolean {
    const length = this.#length + HEAD.length + SMALL + TAIL
    return this.members.length === ENTRIES_MAX || length > DATA_MAX || this.#content + SMALL > CONTENT_MAX
  }

  /** `data` of an entry of Deflate, and what its content is to be; they are copied. */
  add(entry: number, data: Buffer, size: number, crc: number): void {
    const from = this.#length + HEAD.length
    const to = from + data.length
    HEAD.copy(this.#bytes, this.#length)
    data.copy(this.#bytes, from)
    this.#bytes.writeUInt32LE(crc, to)
    this.#bytes.writeUInt32LE(size, to + 4)
    this.#length = to + TAIL
    this.#content += size
    this.members.push({ entry, crc, from, to, size })
  }

  /** All contents, another thread unpacks them; undefined: one of them at least is not what is said of it. */
  async unpack(): Promise<Buffer[] | undefined> {
    const bytes = this.#bytes.subarray(0, this.#length)
    // A byte more than there should be, so that all comes in one piece.
    const options = { chunkSize: Math.max(64, this.#content + 1), maxOutputLength: Math.max(1, this.#content) }
    try {
      const content = await unpacked(bytes, { ...options, finishFlush: constants.Z_FINISH })
      if (content.length !== this.#content) return undefined
      let at = 0
      const parts = this.members.map(({ size }) => {
        at += size
        return content.subarray(at - size, at)
      })
      // What is made to deceive may have swallowed the trailers between them.
      return parts.every((part, i) => crc32(part) === this.members[i]!.crc) ? parts : undefined
    } catch {
      return undefined
    }
  }

  data({ from, to }: Member): Buffer {
    return this.#bytes.subarray(from, to)
  }

  clear(): void {
    this.members.length = 0
    this.#length = 0
    this.#content = 0
  }
}
