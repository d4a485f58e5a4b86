/** Contents that are not what is said of them: of another size, of another sum, somewhere else, or far too much. */
import { crc32 } from 'node:zlib'
import { good, goodOnly, type Odd, odd, raw } from './odd.ts'
import {
  centralRecord,
  compress,
  deflatedEnd,
  deflatedPiece,
  type Entry,
  endRecords,
  FILE,
  type Fields,
  field,
  localHeader,
  u16,
  u32,
  zip,
} from './writer.ts'

const PIECE = 2 ** 24
const text = 'a text that can be made smaller '.repeat(100)
const one = (entry: Partial<Entry>) => ({ entries: [{ name: 'a', content: text, ...entry }, good] })
const size = (number: number) => ({ local: { size: number }, central: { size: number } })
const million = 'x'.repeat(1_000_000)

const damaged: readonly Odd[] = [
  odd('a wrong sum', one({ local: { crc: 1 }, central: { crc: 1 } }), { written: goodOnly, told: ['zip.crc'] }),
  odd('a wrong sum of nothing', one({ content: '', local: { crc: 1 }, central: { crc: 1 } }), {
    written: goodOnly,
    told: ['zip.crc'],
  }),
  odd('a wrong sum, stored', one({ method: 0, local: { crc: 1 }, central: { crc: 1 } }), {
    written: goodOnly,
    told: ['zip.crc'],
  }),
  odd('10 bytes by its word, 1,000,000 in truth', one({ content: million, ...size(10) }), {
    written: goodOnly,
    told: ['zip.size'],
  }),
  odd('more by its word than in truth', one(size(1_000_000)), { written: goodOnly, told: ['zip.size'] }),
  odd('nothing by its word, a text in truth', one(size(0)), { written: goodOnly, told: ['zip.size'] }),
  odd('stored, with two sizes', one({ method: 0, ...size(10) }), { written: goodOnly, told: ['zip.size'] }),
  odd('4 GB by its word', one(size(0xfffffffe)), { written: goodOnly, told: ['zip.size'] }),
  odd('bytes that nothing deflated', one({ data: Buffer.from('this is not deflated at all') }), {
    written: goodOnly,
    told: ['zip.data'],
  }),
  odd('no bytes where a text was deflated', one({ data: Buffer.alloc(0) }), { written: goodOnly, told: ['zip.size'] }),
  odd('deflated bytes that break off', one({ data: compress(Buffer.from(text), 8).subarray(0, -5) }), {
    written: goodOnly,
    told: ['zip.data'],
  }),
  // Size and sum are right, and so is the content: other programs write it too.
  odd('something behind what was deflated', one({ data: Buffer.concat([compress(Buffer.from(text), 8), u32(7)]) }), {
    written: { 'good.txt': 'good\n', a: text },
  }),
  odd('a method that is not known', one({ method: 77, data: Buffer.from(text) }), {
    written: goodOnly,
    told: ['zip.method'],
  }),
  odd('WinZip AES without its field', one({ method: 99, data: Buffer.from(text) }), {
    written: goodOnly,
    told: ['zip.data'],
  }),
  odd('encrypted, with no password', one({ local: { flags: 1 }, central: { flags: 1 } }), {
    written: goodOnly,
    told: ['zip.encrypted'],
  }),
  odd('encrypted together with the directory', one({ local: { flags: 0x2041 }, central: { flags: 0x2041 } }), {
    written: goodOnly,
    told: ['zip.encrypted'],
  }),
]

const all = { 'good.txt': 'good\n', a: text }
const differs = { written: all, told: ['zip.local-differs'] } as const
const differing: readonly Odd[] = [
  odd('another name before the data', one({ local: { name: Buffer.from('b') } }), differs),
  odd('a longer name before the data', one({ local: { name: Buffer.from('longer'), nameLength: 6 } }), differs),
  odd('another method before the data', one({ local: { method: 0 } }), differs),
  odd('another size before the data', one({ local: { size: 7 } }), differs),
  odd('another compressed size before the data', one({ local: { compressed: 7 } }), differs),
  odd('another sum before the data', one({ local: { crc: 7 } }), differs),
  odd('encrypted, by what is before the data', one({ local: { flags: 1 } }), differs),
  // As written while nobody knew them.
  odd('sizes after the data', one({ hasDescriptor: true }), { written: all }),
  odd('sizes after the data, and before it as well', one({ hasDescriptor: true, local: { size: text.length } }), {
    written: all,
  }),
  odd('an extra field before the data alone', one({ local: { extra: field(7, u32(1)), extraLength: 8 } }), {
    written: all,
  }),
  odd('another time before the data', one({ local: { time: 0 } }), { written: all }),
]

const longField = field(0x1234, Buffer.from('abc'), 1000)
const fields: readonly Odd[] = [
  odd('an extra field longer than all of them', one({ extra: longField }), { written: all }),
  odd('an extra field of one byte', one({ extra: Buffer.from([1]) }), { written: all }),
  odd('extra fields of 65,535 bytes', one({ extra: Buffer.alloc(65535, 0xff) }), { written: all }),
  odd('a time field without a time', one({ extra: field(0x5455, Buffer.from([1])) }), { written: all }),
  odd('a zip64 field that is not wanted', one({ extra: field(1, u32(1, 0, 2, 0, 3, 0)) }), { written: all }),
  odd('a zip64 field too short', one({ extra: field(1, u32(1)), central: { size: 0xffffffff } }), {
    written: goodOnly,
    told: ['zip.size'],
  }),
  odd('a zip64 size without its field', one({ central: { size: 0xffffffff } }), {
    written: goodOnly,
    told: ['zip.size'],
  }),
  odd('a zip64 size of 2^63', one({ extra: field(1, u32(0, 0x80000000)), central: { size: 0xffffffff } }), {
    written: goodOnly,
    told: ['zip.size'],
  }),
  odd('a day that no month has', one({ modified: [0xffff, 0xffff] }), { written: all }),
  odd('no day at all', one({ modified: [0, 0] }), { written: all }),
]

const places: readonly Odd[] = [
  odd('data beyond the end', one({ central: { offset: 0x7fffffff } }), { written: goodOnly, told: ['zip.outside'] }),
  odd('data that goes on beyond the end', one({ central: { compressed: 0x7fffffff } }), {
    written: goodOnly,
    told: ['zip.outside'],
  }),
  // It reaches five bytes into the next one.
  odd('no header where it should be', one({ central: { offset: 5 } }), { written: {}, told: ['zip.overlap'] }),
  odd('an offset into the middle of its own data', one({ central: { offset: 5, compressed: 40 } }), {
    written: goodOnly,
    told: ['zip.no-header'],
  }),
  odd('a header that is none', one({ local: { signature: 0x04034b51 } }), {
    written: goodOnly,
    told: ['zip.no-header'],
  }),
  odd(
    'two that share their bytes',
    {
      entries: [{ name: 'a', content: text }, { name: 'b', content: text, sharesWith: 0 }, good],
    },
    { written: goodOnly, told: ['zip.overlap'] },
  ),
  odd(
    'one whose bytes go on into the next',
    {
      entries: [
        { name: 'a', content: 'x'.repeat(60), method: 0, central: { compressed: 100, size: 100 } },
        { name: 'b', content: text },
        good,
      ],
    },
    { written: goodOnly, told: ['zip.overlap'] },
  ),
  odd(
    'one that nobody lists',
    { entries: [{ name: 'a', content: text, isHidden: true }, good] },
    {
      written: goodOnly,
    },
  ),
  raw('files that quote each other', () => quoting(50), { written: {}, told: ['zip.overlap'] }),
  raw('a gigabyte of zeros', () => zeros(64), { written: goodOnly, told: ['zip.bomb'] }),
  raw('little zeros, which are no bomb', () => zeros(1), {
    written: { ...goodOnly, zeros: Buffer.alloc(PIECE) },
  }),
]

/** Pieces of zeros, deflated to a thousandth. */
function zeros(pieces: number): Buffer {
  const piece = Buffer.alloc(PIECE)
  const small = deflatedPiece(piece)
  const data = Buffer.concat([...Array(pieces).fill(small), deflatedEnd])
  let crc = 0
  for (let i = 0; i < pieces; i++) crc = crc32(piece, crc)
  const truth = { crc, size: pieces * PIECE }
  return zip({ entries: [{ name: 'zeros', data, local: truth, central: truth }, good] })
}

const plain = (name: string, content: Uint8Array, compressed: number): Fields => ({
  ...{ signature: 0, madeBy: 0x031e, version: 20, flags: 0, method: 8, time: 0, date: 0x21 },
  ...{ crc: crc32(content), compressed, size: content.length, extraLength: 0, commentLength: 0 },
  ...{ disk: 0, internal: 0, external: FILE * 2 ** 16, offset: 0, nameLength: name.length },
  ...{ name: Buffer.from(name), extra: Buffer.alloc(0), comment: Buffer.alloc(0) },
})

/**
 * Each file holds the header of the next one as a piece that is not deflated, and goes on with the data of that: all
 * share one kernel, and each is larger than the next (David Fifield, A better zip bomb, 2019).
 */
function quoting(files: number): Buffer {
  const kernel = Buffer.alloc(100_000)
  let content: Buffer = kernel
  let data: Buffer = Buffer.from(compress(kernel, 8))
  let written = Buffer.alloc(0)
  const records: { fields: Fields; fromEnd: number }[] = []
  for (let i = files - 1; i >= 0; i--) {
    const quoted = written.subarray(0, written.length - dataLength(records))
    if (i < files - 1) {
      data = Buffer.concat([Buffer.from([0]), u16(quoted.length, ~quoted.length), quoted, data])
      content = Buffer.concat([quoted, content])
    }
    const fields = plain(`${i}`.padStart(4, '0'), content, data.length)
    written = Buffer.concat([localHeader(fields), data])
    records.unshift({ fields, fromEnd: written.length })
  }
  const directory = records.map(({ fields, fromEnd }) => centralRecord({ ...fields, offset: written.length - fromEnd }))
  const length = directory.reduce((sum, record) => sum + record.length, 0)
  return Buffer.concat([
    ...[written, ...directory],
    ...endRecords({ entries: files, size: length, offset: written.length }, {}),
  ])
}

const dataLength = (records: readonly { fields: Fields }[]) => records[0]?.fields.compressed ?? 0

export const oddContents: readonly Odd[] = [...damaged, ...differing, ...fields, ...places]
