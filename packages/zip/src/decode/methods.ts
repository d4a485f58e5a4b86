/** In which ways entries are packed, and how they are unpacked. */
import { pipeline } from 'node:stream/promises'
import {
  constants,
  createInflateRaw,
  createZstdDecompress,
  type InflateRaw,
  inflateRawSync,
  type ZstdDecompress,
  zstdDecompressSync,
} from 'node:zlib'
import { ENDS_EARLY, type MakeDecoder, tooLittle, tooMuch } from '../core/coding.ts'
import { Damaged } from '../core/damaged.ts'
import { DEFLATE_RATIO } from '../core/directory.ts'

/** Neither looks at the CRC-32. */
export interface Method {
  readonly name: string
  /** What it needs is loaded before the first entry, for the methods that are rarely met. */
  load?(): Promise<void>
  /** Exactly `size` bytes, and no more memory than for these, whatever the data. Throws Damaged, with the reason. */
  whole(data: Buffer, size: number): Buffer
  /** The same for large entries, in parts of at most 1 MB; they are made when they are asked for. */
  stream(data: AsyncIterable<Buffer>, size: number): AsyncIterable<Buffer>
}

/** APPNOTE.TXT 4.4.5. */
const NAMES: Readonly<Record<number, string>> = {
  0: 'Store',
  1: 'Shrink',
  2: 'Reduce-1',
  3: 'Reduce-2',
  4: 'Reduce-3',
  5: 'Reduce-4',
  6: 'Implode',
  7: 'Tokenize',
  8: 'Deflate',
  9: 'Deflate64',
  10: 'PKWARE DCL Implode',
  12: 'BZip2',
  14: 'LZMA',
  16: 'IBM z/OS CMPSC',
  18: 'IBM TERSE',
  19: 'IBM LZ77 z',
  20: 'Zstandard (old number)',
  93: 'Zstandard',
  94: 'MP3',
  95: 'XZ',
  96: 'JPEG',
  97: 'WavPack',
  98: 'PPMd',
  99: 'AES',
}

/** For people: "PPMd (98)". */
export function methodName(id: number): string {
  return `${NAMES[id] ?? 'unknown'} (${id})`
}

const PART = 1 << 18

const store: Method = {
  name: 'Store',
  whole(data, size) {
    if (data.length < size) throw tooLittle(data.length, size)
    if (data.length > size) throw tooMuch(size)
    return data
  },
  stream: (data, size) => exactly(data, size),
}

const deflate: Method = {
  name: 'Deflate',
  whole(data, size) {
    // One piece of memory that fits is half of the time that a small entry takes.
    const chunkSize = Math.max(64, Math.min(size, data.length * DEFLATE_RATIO) + 1)
    const options = { chunkSize, maxOutputLength: Math.max(1, size), finishFlush: constants.Z_FINISH }
    return unpacked('Deflate', size, () => inflateRawSync(data, options))
  },
  stream: (data, size) => through('Deflate', createInflateRaw({ chunkSize: PART }), data, size),
}

const zstandard: Method = {
  name: 'Zstandard',
  whole: (data, size) =>
    unpacked('Zstandard', size, () => zstdDecompressSync(data, { maxOutputLength: Math.max(1, size) })),
  stream: (data, size) => through('Zstandard', createZstdDecompress({ chunkSize: PART }), data, size),
}

/** A method whose decoder is our own. */
function ours(name: string, get: () => Promise<MakeDecoder>): Method {
  let make: MakeDecoder | undefined
  let coded: typeof import('./coded.ts') | undefined
  const loaded = () => {
    if (make === undefined || coded === undefined) throw new Error(`${name} was not loaded`)
    return { make, coded }
  }
  return {
    name,
    async load() {
      coded ??= await import('./coded.ts')
      make ??= await get()
    },
    whole(data, size) {
      const { make, coded } = loaded()
      return coded.decodeWhole(make, data, size)
    },
    stream(data, size) {
      const { make, coded } = loaded()
      return coded.decodeStream(make, data, size)
    },
  }
}

const deflate64 = ours('Deflate64', async () => {
  const { Inflate64 } = await import('../core/inflate64.ts')
  return (input, output) => new Inflate64(input, output)
})

const bzip2 = ours('BZip2', async () => {
  const { Bunzip2 } = await import('../core/bzip2.ts')
  return (input, output, size) => new Bunzip2(input, output, size)
})

const lzma = ours('LZMA', async () => {
  const { LzmaStream } = await import('../core/lzma.ts')
  return (input, output, size) => new LzmaStream(input, output, size)
})

const xz = ours('XZ', async () => {
  const { Unxz } = await import('../core/xz.ts')
  return (input, output, size) => new Unxz(input, output, size)
})

const METHODS: Readonly<Record<number, Method>> = {
  0: store,
  8: deflate,
  9: deflate64,
  12: bzip2,
  14: lzma,
  20: zstandard,
  93: zstandard,
  95: xz,
}

/** undefined: not read by us. */
export function methodOf(id: number): Method | undefined {
  return METHODS[id]
}

function unpacked(name: string, size: number, unpack: () => Buffer): Buffer {
  let content: Buffer
  try {
    content = unpack()
  } catch (error) {
    throw damage(name, size, error as NodeJS.ErrnoException)
  }
  if (content.length < size) throw tooLittle(content.length, size)
  if (content.length > size) throw tooMuch(size)
  return content
}

function damage(name: string, size: number, error: NodeJS.ErrnoException): Error {
  const code = error.code ?? ''
  if (code === 'ERR_BUFFER_TOO_LARGE') return tooMuch(size)
  if (code === 'Z_BUF_ERROR' || code === 'ZSTD_error_srcSize_wrong') return new Damaged(ENDS_EARLY)
  if (!/^(Z_|ZSTD_)/.test(code)) return error
  return new Damaged(`its data is no ${name} stream: ${error.message}`)
}

async function* through(
  name: string,
  unpacker: InflateRaw | ZstdDecompress,
  data: AsyncIterable<Buffer>,
  size: number,
): AsyncGenerator<Buffer> {
  const feeding = pipeline(data, unpacker)
  // The same failure comes out of the loop.
  feeding.catch(() => {})
  try {
    yield* exactly(unpacker, size)
    await feeding
  } catch (error) {
    throw damage(name, size, error as NodeJS.ErrnoException)
  }
}

async function* exactly(parts: AsyncIterable<Buffer>, size: number): AsyncGenerator<Buffer> {
  let total = 0
  for await (const part of parts) {
    total += part.length
    if (total > size) throw tooMuch(size)
    yield part
  }
  if (total < size) throw tooLittle(total, size)
}
