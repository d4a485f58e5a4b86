import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { crc32, deflateRawSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { Damaged } from '../src/core/damaged.ts'
import { Refused } from '../src/core/refused.ts'
import { ZIPCRYPTO_HEADER, ZipCrypto } from '../src/core/zipcrypto.ts'
import { contentOf, contentStream, prepare, refusalOf } from '../src/decode/content.ts'
import { methodName } from '../src/decode/methods.ts'
import type { Stored } from '../src/decode/stored.ts'

const WORDS = Buffer.from('the quick brown fox jumps over the lazy dog, and over again. '.repeat(200))

const entryOf = (method: number, content: Uint8Array, data: Uint8Array): Stored => ({
  method,
  flags: 0,
  size: content.length,
  compressed: data.length,
  crc: crc32(content),
  time: 0,
})

async function* pieces(data: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < data.length; at += size) yield data.subarray(at, at + size)
}

async function streamed(entry: Stored, data: Buffer, size = 1000, secret?: Uint8Array): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of contentStream(entry, pieces(data, size), secret)) parts.push(part)
  return Buffer.concat(parts)
}

const packers: readonly [number, (content: Uint8Array) => Buffer][] = [
  [0, (content) => Buffer.from(content)],
  [8, (content) => deflateRawSync(content)],
  [93, (content) => zstdCompressSync(content)],
]

for (const [method, pack] of packers) {
  describe(methodName(method), () => {
    test('what was packed comes out again, at once and in parts [Z19]', async () => {
      const anything = fc.oneof(fc.uint8Array({ maxLength: 3000 }), fc.string({ maxLength: 300 }).map(Buffer.from))
      await fc.assert(
        fc.asyncProperty(anything, fc.integer({ min: 1, max: 4000 }), async (content, size) => {
          const data = pack(content)
          const entry = entryOf(method, content, data)
          assert.deepEqual(contentOf(entry, data), Buffer.from(content))
          assert.deepEqual(await streamed(entry, data, size), Buffer.from(content))
        }),
        { numRuns: 60 },
      )
    })

    test('what is cut, longer or shorter than told, or changed, is damaged [Z19]', async () => {
      const data = pack(WORDS)
      const entry = entryOf(method, WORDS, data)
      const changed = Buffer.from(data)
      changed[data.length >> 1]! ^= 0x10
      for (const [wrong, bytes, kind] of [
        [entry, data.subarray(0, data.length - 9), method === 0 ? 'size' : 'data'],
        [entry, data.subarray(0, 0), method === 0 ? 'size' : 'data'],
        [{ ...entry, size: entry.size - 1 }, data, 'size'],
        [{ ...entry, size: 0 }, data, 'size'],
        [{ ...entry, size: entry.size + 1 }, data, 'size'],
        [{ ...entry, crc: entry.crc ^ 1 }, data, 'crc'],
        [entry, changed, undefined],
      ] as const) {
        const isDamaged = (error: unknown) => {
          assert.ok(error instanceof Damaged, String(error))
          assert.ok(kind === undefined || error.kind === kind, `${error.kind}, not ${kind}: ${error.message}`)
          return true
        }
        assert.throws(() => contentOf(wrong, bytes), isDamaged)
        await assert.rejects(streamed(wrong, bytes), isDamaged)
      }
    })
  })
}

test('a bomb gets no more memory than the directory promises [Z19]', async () => {
  const data = deflateRawSync(Buffer.alloc(50_000_000))
  const entry = { ...entryOf(8, WORDS, data), size: 1000 }
  const before = process.memoryUsage().arrayBuffers
  assert.throws(() => contentOf(entry, data), /more comes out of it than the 1000 bytes/)
  await assert.rejects(streamed(entry, data), /more comes out of it than the 1000 bytes/)
  assert.ok(process.memoryUsage().arrayBuffers - before < 20e6)
})

test('a size that nothing can have is not asked for', () => {
  const data = deflateRawSync(WORDS)
  assert.throws(
    () => contentOf({ ...entryOf(8, WORDS, data), size: 2 ** 45 }, data),
    /12200 bytes come out of it, and not the 35/,
  )
})

test('what fails where the bytes come from is no damage', async () => {
  const failing = async function* (): AsyncGenerator<Buffer> {
    yield deflateRawSync(WORDS).subarray(0, 20)
    throw new Error('the network is gone')
  }
  const read = async () => {
    for await (const _ of contentStream(entryOf(8, WORDS, WORDS), failing()));
  }
  await assert.rejects(read(), /the network is gone/)
})

test('what reads only the beginning leaves nothing open', async () => {
  let isOpen = true
  const data = deflateRawSync(Buffer.concat(Array.from({ length: 300 }, () => WORDS)))
  const source = async function* (): AsyncGenerator<Buffer> {
    try {
      yield* pieces(data, 100)
    } finally {
      isOpen = false
    }
  }
  const entry = { ...entryOf(8, WORDS, data), size: WORDS.length * 300 }
  for await (const _ of contentStream(entry, source())) break
  await new Promise(setImmediate)
  assert.equal(isOpen, false)
})

test('a method that is not read is refused by its name [Z19]', async () => {
  for (const [id, name] of [
    [98, 'PPMd (98)'],
    [6, 'Implode (6)'],
    [4711, 'unknown (4711)'],
  ] as const) {
    const refused = (error: unknown) =>
      error instanceof Refused && error.kind === 'method' && error.message.includes(`method ${name} is not read`)
    assert.throws(() => contentOf(entryOf(id, WORDS, WORDS), WORDS), refused)
    assert.throws(() => prepare(entryOf(id, WORDS, WORDS)), refused)
  }
})

test('what is refused is known before it is read [Z19]', () => {
  const entry = entryOf(8, WORDS, WORDS)
  const encrypted = { ...entry, flags: 1 }
  const aes = { version: 2, strength: 3, method: 8 }
  assert.equal(refusalOf(entry), undefined)
  for (const [wrong, secret, kind] of [
    [entryOf(98, WORDS, WORDS), undefined, 'method'],
    [{ ...encrypted, method: 99, aes: { ...aes, method: 99 } }, WORDS, 'method'],
    [encrypted, undefined, 'encrypted'],
    [{ ...encrypted, flags: 0x41 }, WORDS, 'encrypted'],
    [{ ...encrypted, method: 99, aes }, undefined, 'encrypted'],
    [{ ...encrypted, method: 99, aes: { ...aes, strength: 4 } }, WORDS, 'encrypted'],
  ] as const) {
    const [told, words] = refusalOf(wrong, secret) ?? []
    assert.equal(told, kind)
    const isTheSame = (error: unknown) => error instanceof Refused && error.kind === kind && error.message === words
    if (secret !== undefined || kind === 'method') assert.throws(() => prepare(wrong), isTheSame)
  }
  assert.equal(refusalOf(encrypted, WORDS), undefined)
  assert.equal(refusalOf({ ...encrypted, method: 99, aes }, WORDS), undefined)
  // That is damage, and no refusal.
  assert.equal(refusalOf({ ...encrypted, method: 99 }, WORDS), undefined)
  assert.throws(() => prepare({ ...encrypted, method: 99 }), Damaged)
})

/** What `plain` is when it is encrypted: what comes of a zero there is the key's byte. */
function encrypted(plain: Buffer, password: Buffer): Buffer {
  const data = Buffer.alloc(plain.length)
  for (let i = 0; i < plain.length; i++) {
    const tried = Buffer.alloc(i + 1)
    new ZipCrypto(password).decrypt(data.subarray(0, i + 1), tried)
    data[i] = plain[i]! ^ tried[i]!
  }
  return data
}

/** The same content, encrypted so that the bytes of both spellings seem to be the password. */
function ambiguous(content: Buffer, crc: number, right: Buffer, other: Buffer): Buffer {
  for (let chance = 0; ; chance++) {
    const header = Buffer.alloc(ZIPCRYPTO_HEADER)
    header.writeUInt32LE(chance)
    header[ZIPCRYPTO_HEADER - 1] = crc >>> 24
    const data = encrypted(Buffer.concat([header, content]), right)
    const random = Buffer.alloc(ZIPCRYPTO_HEADER)
    new ZipCrypto(other).decrypt(data.subarray(0, ZIPCRYPTO_HEADER), random)
    if (random.at(-1) === crc >>> 24) return data
  }
}

test('where both spellings of a password seem right, the one is taken that gives the content [Z20]', async () => {
  const content = Buffer.from('of the mountains')
  const [utf8, latin] = [Buffer.from('größer'), Buffer.from('größer', 'latin1')]
  for (const [right, other] of [
    [utf8, latin],
    [latin, utf8],
  ] as const) {
    const data = ambiguous(content, crc32(content), right, other)
    const entry = { ...entryOf(0, content, data), flags: 1 }
    await prepare(entry)
    const given = Buffer.from(utf8)
    assert.deepEqual(contentOf(entry, data, given), content)
    assert.deepEqual(await streamed(entry, data, 5, given), content, 'it is known by then')
    data[ZIPCRYPTO_HEADER] = data[ZIPCRYPTO_HEADER]! ^ 1
    assert.throws(() => contentOf(entry, data, given), /its CRC-32 is .*; or the password is wrong/)
  }
})
