import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { type Directory, MARK, modifiedMs, nameStart, type Wanted } from '../src/core/directory.ts'
import { type Fields, field, readAll, record } from './records.ts'

const UNKNOWN = 0xffffffff
const UTF8 = 0x800

/** What is meant, from which the record and what must be read of it are made. */
interface Meant {
  readonly name: string
  readonly size: number
  readonly compressed: number
  readonly offset: number
  readonly seconds: number | undefined
  readonly aes: 1 | 2 | 3 | undefined
  readonly unicode: string | undefined
  readonly hasStaleName: boolean
  readonly others: readonly Uint8Array[]
  readonly comment: Uint8Array
  readonly crc: number
}

const large = fc.oneof(fc.nat(UNKNOWN - 1), fc.constant(UNKNOWN), fc.integer({ min: 2 ** 32, max: 2 ** 52 }))
const meants: fc.Arbitrary<Meant> = fc.record({
  name: fc.oneof(fc.stringMatching(/^[a-z/]{1,30}$/), fc.constantFrom('größe.txt', '中文/说明.txt')),
  size: large,
  compressed: large,
  offset: large,
  seconds: fc.option(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), { nil: undefined }),
  aes: fc.constantFrom(undefined, 1 as const, 2 as const, 3 as const),
  unicode: fc.option(fc.constantFrom('prüfung', 'plain', '说明'), { nil: undefined }),
  hasStaleName: fc.boolean(),
  others: fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 3 }),
  comment: fc.uint8Array({ maxLength: 50 }),
  crc: fc.nat(UNKNOWN),
})

const u32 = (value: number) => new Uint8Array(Uint32Array.of(value).buffer)

function fieldsOf(meant: Meant): Fields {
  const { name, seconds, aes, unicode, hasStaleName, others, comment, crc } = meant
  const numbers = [meant.size, meant.compressed, meant.offset]
  const long = numbers.filter((number) => number >= UNKNOWN)
  const short = numbers.map((number) => Math.min(number, UNKNOWN))
  const extras = [
    ...others.map((body, i) => field(0x9000 + i, body)),
    ...(long.length === 0 ? [] : [field(1, long)]),
    ...(seconds === undefined ? [] : [field(0x5455, Buffer.concat([Uint8Array.of(3), u32(seconds)]))]),
    ...(aes === undefined ? [] : [field(0x9901, Uint8Array.of(2, 0, 0x41, 0x45, aes, 93, 0))]),
    ...(unicode === undefined ? [] : [field(0x7075, unicodeOf(name, unicode, hasStaleName ? 1 : 0))]),
  ]
  return {
    ...{ name, comment, crc, flags: UTF8, size: short[0]!, compressed: short[1]!, offset: short[2]! },
    ...{ method: aes === undefined ? 8 : 99, extra: Buffer.concat(extras) },
  }
}

const unicodeOf = (name: string, unicode: string, off: number) =>
  Buffer.concat([Uint8Array.of(1), u32(crc32(name) + off), Buffer.from(unicode)])

function checkRead({ columns }: Directory, entry: number, meant: Meant, shift: number): void {
  const { unicode, hasStaleName, aes, seconds } = meant
  const isRenamed = unicode !== undefined && !hasStaleName
  const name = Buffer.from(columns.names.slice(nameStart(columns, entry), columns.nameEnd[entry])).toString()
  const marks = columns.marks[entry]!
  assert.equal(name, isRenamed ? unicode : meant.name)
  assert.deepEqual(
    [columns.size[entry], columns.compressed[entry], columns.offset[entry], columns.crc[entry]],
    [meant.size, meant.compressed, meant.offset + shift, meant.crc],
  )
  if (seconds !== undefined) assert.equal(modifiedMs(columns, entry), seconds * 1000)
  assert.equal(columns.method[entry], aes === undefined ? 8 : 93)
  assert.equal((marks & MARK.aes) !== 0, aes !== undefined)
  assert.equal((marks & MARK.aesStrength) >> 5, aes ?? 0)
  assert.equal((marks & MARK.renamed) !== 0, isRenamed)
  assert.equal((marks & MARK.staleName) !== 0, unicode !== undefined && hasStaleName)
  assert.equal(marks & (MARK.badExtra | MARK.badZip64), 0)
}

test('what was written into a directory is read back, wherever its pieces are cut [Z1]', () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(fc.array(meants, { maxLength: 30 }), cuts, fc.nat(1000), (all, cuts, shift) => {
      const directory = readAll(Buffer.concat(all.map((one) => record(fieldsOf(one)))), cuts, shift)
      assert.deepEqual([directory.count, directory.records, directory.brokenAt], [all.length, all.length, undefined])
      for (const [i, one] of all.entries()) checkRead(directory, i, one, shift)
    }),
    { numRuns: 150 },
  )
})

test('what is not wanted is counted and not kept; a name in an extra field is asked for too [Z1]', () => {
  const entries = [
    { name: 'a/1', offset: 50 },
    { name: 'b/1', offset: 10 },
    { name: 'c/1', offset: 70, extra: field(0x7075, unicodeOf('c/1', 'a/2', 0)) },
  ]
  const isA = (byte: number) => byte === 'a'.charCodeAt(0)
  const wanted: Wanted = { begins: new Uint8Array(256).fill(1), may: (bytes, start) => isA(bytes[start]!) }
  const { columns, count, records, lowest } = readAll(Buffer.concat(entries.map(record)), [40], 0, wanted)
  const quicker = { ...wanted, begins: Uint8Array.from({ length: 256 }, (_, byte) => Number(isA(byte))) }
  assert.equal(readAll(Buffer.concat(entries.map(record)), [40], 0, quicker).count, count)
  assert.deepEqual([count, records, lowest], [2, 3, 10])
  assert.equal(Buffer.from(columns.names.slice(0, columns.nameEnd[1])).toString(), 'a/1a/2')
})

test('a directory that breaks off says where, and keeps what comes before [Z2]', () => {
  const good = record({ name: 'good', offset: 1 })
  const signature = Buffer.from('PK\x05\x05\x02\0xx', 'latin1')
  for (const [bytes, brokenAt] of [
    [Buffer.concat([good, Buffer.from('garbage '.repeat(10))]), good.length],
    [Buffer.concat([good, good.subarray(0, 47)]), good.length],
    [Buffer.concat([good, signature]), undefined],
  ] as const) {
    const directory = readAll(bytes, [1000])
    assert.deepEqual([directory.count, directory.brokenAt], [1, brokenAt])
  }
})

test('fields that are cut or missing mark their entry, and no other [Z1]', () => {
  const entries = [
    { name: 'cut', extra: Uint8Array.of(1, 0, 200, 0, 5) },
    { name: 'missing', size: UNKNOWN, extra: field(9, [1]) },
    { name: 'short', size: UNKNOWN, extra: field(1, Uint8Array.of(1, 2, 3)) },
    { name: 'good' },
  ]
  const { columns } = readAll(Buffer.concat(entries.map(record)), [1000])
  const bad = Array.from(columns.marks.subarray(0, 4), (marks) => marks & (MARK.badExtra | MARK.badZip64))
  assert.deepEqual(bad, [MARK.badExtra, MARK.badZip64, MARK.badZip64, 0])
})

test('times: NTFS, old Info-ZIP, MS-DOS [Z1]', () => {
  const ntfs = Buffer.alloc(32)
  ntfs.writeUInt16LE(1, 4)
  ntfs.writeUInt16LE(24, 6)
  ntfs.writeBigUInt64LE((1_700_000_000n + 11_644_473_600n) * 10_000_000n, 8)
  const old = new Uint8Array(Uint32Array.of(1, 1_600_000_000).buffer)
  const dos = ((2024 - 1980) << 25) | (2 << 21) | (29 << 16) | (12 << 11) | (34 << 5) | 28
  const entries = [{ extra: field(0x000a, ntfs) }, { extra: field(0x5855, old) }, { time: dos }]
  const { columns } = readAll(Buffer.concat(entries.map((one) => record({ name: 'x', ...one }))), [1000])
  assert.deepEqual(
    [0, 1, 2].map((entry) => modifiedMs(columns, entry)),
    [1_700_000_000_000, 1_600_000_000_000, new Date(2024, 1, 29, 12, 34, 56).getTime()],
  )
})

test('a flag that says UTF-8 of bytes that are none is not believed [Z6]', () => {
  const names = [Buffer.from('größe'), Buffer.from('gr\xf6\xdfe', 'latin1'), Buffer.from([0xc0, 0xae]), 'plain']
  const { columns, hasUnknownNames } = readAll(Buffer.concat(names.map((name) => record({ name, flags: UTF8 }))), [99])
  assert.ok(hasUnknownNames)
  assert.deepEqual(
    Array.from(columns.marks.subarray(0, 4), (marks) => marks & (MARK.utf8 | MARK.beyondAscii)),
    [MARK.utf8 | MARK.beyondAscii, MARK.beyondAscii, MARK.beyondAscii, MARK.utf8],
  )
})
