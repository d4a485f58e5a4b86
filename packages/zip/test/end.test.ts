import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { beginsDirectory, endsIn, kindOf, locatorIn, withZip64 } from '../src/core/end.ts'
import { record } from './records.ts'

function endRecord(entries: number, size: number, start: number, comment: Uint8Array): Buffer {
  const bytes = Buffer.alloc(22)
  bytes.writeUInt32LE(0x06054b50, 0)
  bytes.writeUInt16LE(entries, 8)
  bytes.writeUInt16LE(entries, 10)
  bytes.writeUInt32LE(size, 12)
  bytes.writeUInt32LE(start, 16)
  bytes.writeUInt16LE(comment.length, 20)
  return Buffer.concat([bytes, comment])
}

test('an end is found with whatever comment, and whatever behind it [Z2]', () => {
  const bytes = fc.uint8Array({ maxLength: 300 })
  fc.assert(
    fc.property(bytes, bytes, bytes, fc.nat(65_535), (before, comment, behind, entries) => {
      const tail = Buffer.concat([before, endRecord(entries, 0, 7, comment), behind])
      const found = endsIn(tail, 1000).find(({ at }) => at === 1000 + before.length)
      assert.ok(found !== undefined)
      assert.deepEqual([found.entries, found.directoryStart, found.trailing], [entries, 7, behind.length])
      assert.ok(found.comment.equals(comment))
    }),
  )
})

test('the last end comes first, one in its comment too, and no more than so many [Z2]', () => {
  const inner = endRecord(1, 0, 0, Buffer.alloc(0))
  const ends = endsIn(endRecord(2, 0, 0, inner), 0)
  assert.deepEqual(
    ends.map(({ at, entries, trailing }) => [at, entries, trailing]),
    [
      [22, 1, 0],
      [0, 2, 0],
    ],
  )
  assert.equal(endsIn(Buffer.concat(Array(1000).fill(inner)), 0).length, 64)
  assert.deepEqual(endsIn(endRecord(1, 5000, 0, Buffer.alloc(0)), 0), [], 'a directory has no room before it')
})

test('what Zip64 says takes the place of what the short record says [Z1]', () => {
  const [short] = endsIn(endRecord(0xffff, 0xffffffff, 0xffffffff, Buffer.from('c')), 0)
  const long = Buffer.alloc(56)
  long.writeUInt32LE(0x06064b50, 0)
  for (const [i, number] of [70_000n, 70_000n, 5_000_000n, 6_000_000_000n].entries())
    long.writeBigUInt64LE(number, 24 + 8 * i)
  const whole = withZip64(short!, long, 99)
  assert.deepEqual(
    [whole?.entries, whole?.directorySize, whole?.directoryStart, whole?.at, whole?.comment.toString()],
    [70_000, 5_000_000, 6_000_000_000, 99, 'c'],
  )
  assert.equal(withZip64(short!, Buffer.alloc(56), 99), undefined)
  const locator = Buffer.alloc(20)
  assert.equal(locatorIn(locator), undefined)
  locator.writeUInt32LE(0x07064b50, 0)
  locator.writeBigUInt64LE(6_005_000_000n, 8)
  assert.deepEqual(locatorIn(locator), { at: 6_005_000_000, disk: 0 })
})

test('what is no archive is called by its name [Z3]', () => {
  const tar = Buffer.alloc(512)
  tar.write('ustar', 257)
  for (const [bytes, kind] of [
    [Buffer.from('<!DOCTYPE html>'), 'a web page'],
    [Buffer.from([0x1f, 0x8b, 8]), 'gzip'],
    [Buffer.from('Rar!\x1a\x07\x01\0', 'latin1'), 'a RAR archive'],
    [tar, 'a tar archive'],
    [Buffer.from('a text'), undefined],
    [Buffer.alloc(0), undefined],
  ] as const) {
    assert.equal(kindOf(bytes), kind)
  }
  assert.ok(beginsDirectory(record({ name: 'x' })) && !beginsDirectory(Buffer.from('PK')))
})
