/** The bytes of a file, unpacked if it is gzip. */
import { open } from 'node:fs/promises'
import { createGunzip } from 'node:zlib'

const CHUNK = 1024 * 1024
/** gzip makes a thousand bytes of one at most, so that little is unpacked at once. */
const PACKED_CHUNK = 16 * 1024

/**
 * All that is in the file; what is given is overwritten by what comes next. `broken` is told when gzip breaks off or is
 * damaged: no more comes then.
 */
export async function* bytesOf(file: string, broken: () => void): AsyncGenerator<Buffer> {
  let isPacked: boolean | undefined
  let unpack: Unpacker | undefined
  try {
    for await (const chunk of plainBytes(file)) {
      isPacked ??= chunk[0] === 0x1f && chunk[1] === 0x8b
      if (!isPacked) {
        yield chunk
        continue
      }
      unpack ??= unpacker()
      for (let at = 0; at < chunk.length; at += PACKED_CHUNK) {
        yield* await unpack(chunk.subarray(at, at + PACKED_CHUNK))
      }
    }
    if (unpack !== undefined) yield* await unpack(undefined)
  } catch (error) {
    if (!(error instanceof Broken)) throw error
    yield* error.before
    broken()
  }
}

/** One buffer for all of it: to make a new one for each read takes longer than to read. */
async function* plainBytes(file: string): AsyncGenerator<Buffer> {
  const handle = await open(file)
  try {
    const buffer = Buffer.allocUnsafe(CHUNK)
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, CHUNK, null)
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await handle.close()
  }
}

/** Takes a packed chunk, or undefined at the end, and gives all that it held. */
type Unpacker = (chunk: Buffer | undefined) => Promise<Buffer[]>

class Broken extends Error {
  readonly before: readonly Buffer[]

  constructor(before: readonly Buffer[]) {
    super('gzip breaks off')
    this.before = before
  }
}

/** Reading the stream by its iterator would lose what it had unpacked before it broke off. Several members are one. */
function unpacker(): Unpacker {
  const gunzip = createGunzip()
  let out: Buffer[] = []
  gunzip.on('data', (part: Buffer) => out.push(part))
  return (chunk) =>
    new Promise((resolve, reject) => {
      const done = () => {
        gunzip.off('error', fail)
        resolve(out)
        out = []
      }
      const fail = () => reject(new Broken(out))
      gunzip.once('error', fail)
      if (chunk !== undefined) gunzip.write(chunk, (error) => (error ? undefined : done()))
      else gunzip.once('end', done).end()
    })
}
