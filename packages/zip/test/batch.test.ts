import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32, deflateRawSync, gunzipSync } from 'node:zlib'
import { Batch, SMALL } from '../src/decode/batch.ts'

const texts = ['', 'a', 'some text '.repeat(500), 'b'.repeat(70_000)].map((text) => Buffer.from(text))

function gathered(contents: readonly Buffer[]): Batch {
  const batch = new Batch()
  for (const [i, content] of contents.entries()) batch.add(i, deflateRawSync(content), content.length, crc32(content))
  return batch
}

test('small entries unpacked at once are what each is by itself, again and again [Z19]', async () => {
  const batch = gathered(texts)
  assert.deepEqual(await batch.unpack(), texts)
  batch.clear()
  assert.deepEqual(batch.members, [])
  for (const text of texts.slice(1, 3)) batch.add(7, deflateRawSync(text), text.length, crc32(text))
  assert.deepEqual(await batch.unpack(), texts.slice(1, 3))
  assert.deepEqual(
    batch.members.map(({ entry }) => entry),
    [7, 7],
  )
})

test('one that is not what is said of it is seen, and the data of each are still there [Z19]', async () => {
  const [, one, other] = texts as [Buffer, Buffer, Buffer]
  const packed = deflateRawSync(other)
  for (const [data, size, crc] of [
    [packed, other.length, (crc32(other) ^ 1) >>> 0],
    [packed, other.length - 1, crc32(other)],
    [packed, other.length + 1, crc32(other)],
    [packed.subarray(0, -1), other.length, crc32(other)],
    [Buffer.concat([packed, Buffer.from('x')]), other.length, crc32(other)],
    [Buffer.from('no deflate'), other.length, crc32(other)],
    [Buffer.alloc(0), 0, 0],
  ] as const) {
    const batch = gathered([one])
    batch.add(1, data, size, crc)
    batch.add(2, deflateRawSync(one), one.length, crc32(one))
    assert.equal(await batch.unpack(), undefined)
    assert.deepEqual(batch.data(batch.members[1]!), data)
  }
})

test('data made to move what each has, with all sums right, are seen [Z19]', async () => {
  const head = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255])
  const trailerOf = (crc: number, size: number) => {
    const trailer = Buffer.alloc(8)
    trailer.writeUInt32LE(crc, 0)
    trailer.writeUInt32LE(size, 4)
    return trailer
  }
  const [x, y, z] = ['more than is said', 'what is said', 'the end'].map((text) => Buffer.from(text)) as [
    Buffer,
    Buffer,
    Buffer,
  ]
  // Two members in the data of one entry: more comes out of it than it says.
  const two = [deflateRawSync(x), trailerOf(crc32(x), x.length), head, deflateRawSync(y)]
  // A stored block that is not the last (RFC 1951, 3.2.4): it takes the trailer and the header behind it, so less comes out.
  const taken = trailerOf(0, x.length).length + head.length
  const open = Buffer.from([0, taken, 0, ~taken & 0xff, 0xff])
  const all = Buffer.concat([trailerOf(0, x.length), head, z])
  const entries = [
    { data: Buffer.concat(two), size: y.length, crc: crc32(y) },
    { data: open, size: x.length, crc: 0 },
    { data: deflateRawSync(z), size: all.length, crc: crc32(all) },
  ]
  const bytes = Buffer.concat(entries.flatMap(({ data, size, crc }) => [head, data, trailerOf(crc, size)]))
  assert.equal(
    gunzipSync(bytes).length,
    x.length + y.length + all.length,
    'as a gzip file there is nothing wrong with it',
  )
  const batch = new Batch()
  for (const [i, { data, size, crc }] of entries.entries()) batch.add(i, data, size, crc)
  assert.equal(await batch.unpack(), undefined)
})

test('it is full while there is still room for the largest of the small ones', async () => {
  const noise = Buffer.alloc(SMALL / 2 - 100)
  for (let i = 0; i < noise.length; i++) noise[i] = Math.imul(i + 1, 0x9e3779b1) >>> 24
  for (const content of [noise, Buffer.alloc(SMALL - 200), Buffer.alloc(1)]) {
    const batch = new Batch()
    const data = deflateRawSync(content)
    assert(data.length + content.length < SMALL)
    let count = 0
    for (; !batch.isFull; count++) batch.add(count, data, content.length, crc32(content))
    assert(count >= 8 && count <= 128, `${count}`)
    assert.equal((await batch.unpack())?.length, count)
  }
})
