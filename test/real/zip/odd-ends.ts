/** Ends and directories that are not what they say, and files that are no archive at all. */
import { gzipSync } from 'node:zlib'
import { good, goodOnly, type Odd, odd, raw } from './odd.ts'
import { type Archive, shortEnd, u32, zip } from './writer.ts'

const entries = [good, { name: 'a', content: 'a text' }]
const both = { 'good.txt': 'good\n', a: 'a text' }
const fine = { written: both }
/** What comes before it in the directory is there. */
const breaksOff = { written: goodOnly, told: ['zip.truncated'] } as const
const like = (more: Omit<Archive, 'entries'>): Archive => ({ entries, ...more })
const empty = { disk: 0, directoryDisk: 0, entriesHere: 0, entries: 0, size: 0, offset: 0, commentLength: 0 }
const signature = u32(0x06054b50)
const size = zip({ entries }).length

const ends: readonly Odd[] = [
  odd('nothing in it', { entries: [] }, {}),
  odd('a comment', like({ comment: Buffer.from('a comment') }), fine),
  odd('a comment of 65,535 bytes', like({ comment: Buffer.alloc(65535, 'x') }), fine),
  odd(
    'a comment of 65,535 bytes that are signatures',
    like({ comment: Buffer.concat(Array(16384).fill(signature), 65535) }),
    fine,
  ),
  odd(
    'a comment with the signature of an end',
    like({ comment: Buffer.concat([signature, Buffer.from('and more')]) }),
    fine,
  ),
  odd('a comment that is an end', like({ comment: shortEnd(empty) }), { told: ['zip.two-ends'] }),
  odd('a comment that steers terminals', like({ comment: Buffer.from('\x1b[2J') }), fine),
  odd('bytes after its end', like({ tail: Buffer.from('garbage') }), { ...fine, told: ['zip.trailing-bytes'] }),
  odd('zeros after its end, as on tapes', like({ tail: Buffer.alloc(10240) }), { ...fine, told: ['zip.padding'] }),
  odd('bytes after its comment', like({ comment: Buffer.from('a comment'), tail: Buffer.from('\n') }), {
    ...fine,
    told: ['zip.trailing-bytes'],
  }),
  odd('a comment that is longer by its word', like({ end: { commentLength: 100 } }), fine),
  raw('two archives, one after the other', () => Buffer.concat([zip({ entries: [{ name: 'b' }] }), zip({ entries })]), {
    ...fine,
    told: ['zip.prepended'],
  }),
  odd('bytes before it that no offset knows of', like({ prefix: Buffer.from('#!/bin/sh\n') }), {
    ...fine,
    told: ['zip.prepended'],
  }),
  odd('bytes before it that each offset knows of', like({ prefix: Buffer.from('#!/bin/sh\n'), isAdjusted: true }), {
    ...fine,
    told: ['zip.prepended'],
  }),
  odd('a megabyte before it', like({ prefix: Buffer.alloc(2 ** 20, 'x') }), { ...fine, told: ['zip.prepended'] }),
  odd('bytes between the data and the directory', like({ gap: Buffer.from('a signature, perhaps') }), fine),
]

const counted: readonly Odd[] = [
  odd('more counted than there are', like({ end: { entries: 5, entriesHere: 5 } }), { ...fine, told: ['zip.count'] }),
  odd('fewer counted than there are', like({ end: { entries: 1, entriesHere: 1 } }), { ...fine, told: ['zip.count'] }),
  odd('none counted', like({ end: { entries: 0, entriesHere: 0 } }), { ...fine, told: ['zip.count'] }),
]

const broken: readonly Odd[] = [
  odd('a directory beyond the end', like({ end: { offset: 0x7fffffff } }), { cannot: /directory|end/ }),
  odd('a directory larger than the archive', like({ end: { size: 0x7fffffff } }), { cannot: /directory|end/ }),
  odd('a directory that ends within a record', like({ end: { size: 60 } }), breaksOff),
  odd('a directory that begins within a record', like({ end: { offset: 3, size: 60 } }), { cannot: /directory|end/ }),
  odd('a record that is none', { entries: [good, { name: 'a', central: { signature: 1 } }] }, breaksOff),
  odd(
    'a name that goes beyond the directory',
    { entries: [good, { name: 'a', central: { nameLength: 9999 } }] },
    breaksOff,
  ),
  odd(
    'an extra field that goes beyond the directory',
    { entries: [good, { name: 'a', central: { extraLength: 9999 } }] },
    breaksOff,
  ),
  odd('the last part of a split one', like({ end: { disk: 3, directoryDisk: 3 } }), { cannot: /part|split|disk/ }),
  // There is but this one, and the sum is right.
  odd('an entry of another part', { entries: [good, { name: 'a', content: 'a text', central: { disk: 2 } }] }, fine),
]

const long: readonly Odd[] = [
  odd('zip64 records, though it is small', like({ end64: {} }), fine),
  odd(
    'zip64 records that the short one does not need',
    like({
      end64: {},
      end: { entries: 2, entriesHere: 2, size: size - 22 - offsetOf(size), offset: offsetOf(size) },
    }),
    fine,
  ),
  // The record is found right before it, as it is where something stands before the archive.
  odd('a zip64 locator that leads nowhere', like({ end64: { locator: 2 ** 40 } }), fine),
  odd('a zip64 locator that leads to something else', like({ end64: { locator: 0 } }), fine),
  odd('a zip64 directory beyond the end', like({ end64: { offset: 2 ** 40 } }), { cannot: /directory|end/i }),
  odd('a zip64 directory of 2^60 bytes', like({ end64: { size: 2 ** 60 } }), { cannot: /directory|end/i }),
  odd('2^52 entries counted', like({ end64: { entries: 2 ** 52 } }), { ...fine, told: ['zip.count'] }),
  odd('zip64 in the short record, with nothing before it', like({ end: { offset: 0xffffffff } }), {
    cannot: /zip64|directory|end/i,
  }),
  odd('an entry with zip64 numbers', { entries: [good, { name: 'a', content: 'a text', isZip64: true }] }, fine),
  odd(
    'an entry with zip64 numbers after its data',
    {
      entries: [good, { name: 'a', content: 'a text', isZip64: true, hasDescriptor: true }],
    },
    fine,
  ),
]

/** Where the directory of `entries` begins in the archive of that size. */
function offsetOf(length: number): number {
  return zip({ entries }).readUInt32LE(length - 6)
}

const none: readonly Odd[] = [
  raw('an empty file', () => Buffer.alloc(0), { cannot: /not a zip|no zip|empty|end/ }),
  raw('a text', () => Buffer.from('a text\n'.repeat(100)), { cannot: /not a zip|no zip|end/ }),
  raw('gzip', () => gzipSync('a text'), { cannot: /not a zip|no zip|gzip|end/ }),
  raw('four bytes of an end', () => signature, { cannot: /not a zip|no zip|end/ }),
  raw('a megabyte of signatures', () => Buffer.concat(Array(2 ** 18).fill(signature)), {
    cannot: /not a zip|no zip|directory|end/,
  }),
  raw(
    'a head without its end',
    () => zip({ entries: [{ name: 'a', content: 'x'.repeat(9999), method: 0 }] }).subarray(0, 5000),
    {
      cannot: /truncated|end/,
    },
  ),
]

export const oddEnds: readonly Odd[] = [...ends, ...counted, ...broken, ...long, ...none]

/** An archive to be cut off anywhere. */
export const whole = zip({ entries, comment: Buffer.from('a comment') })
