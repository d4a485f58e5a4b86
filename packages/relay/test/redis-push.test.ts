import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { PushReader, WORD_MAX } from '../src/ingest/redis-push.ts'

/** What a Redis pushes when that is published. */
function push(channel: string, message: string): Buffer {
  const words = ['pmessage', 'turn/*', channel, message].map((word) => Buffer.from(word))
  return Buffer.concat([
    Buffer.from('*4\r\n'),
    ...words.flatMap((word) => [Buffer.from(`$${word.length}\r\n`), word, Buffer.from('\r\n')]),
  ])
}

/** What is found in bytes that come in these pieces, as lines of text. */
function read(chunks: readonly Uint8Array[]): string[] {
  const reader = new PushReader()
  const told: string[] = []
  for (let chunk of chunks) {
    while (chunk.length > 0 && told.at(-1) !== 'broken') {
      const room = reader.room()
      assert.ok(room.length > 0, 'no room')
      const taken = Math.min(room.length, chunk.length)
      room.set(chunk.subarray(0, taken))
      reader.took(taken)
      chunk = chunk.subarray(taken)
      told.push(...foundBy(reader))
    }
  }
  return told
}

function foundBy(reader: PushReader): string[] {
  const told: string[] = []
  for (let found = reader.next(); found !== 'partial'; found = reader.next()) {
    told.push(found === 'event' ? eventOf(reader) : found === 'reply' ? reader.words.join('|') : found)
    if (found === 'broken') break
  }
  return told
}

function eventOf({ slab, channelStart, channelEnd, textStart, textEnd }: PushReader): string {
  return `${slab.toString('latin1', channelStart, channelEnd)} ${slab.toString('latin1', textStart, textEnd)}`
}

const bytesOf = (text: string) => Buffer.from(text, 'latin1')
const subscribed = '*3\r\n$10\r\npsubscribe\r\n$6\r\nturn/*\r\n:1\r\n'
const long = 'x'.repeat(WORD_MAX + 1)

const texts: readonly (readonly [what: string, bytes: Buffer, told: readonly string[]])[] = [
  ['an event', push('turn/a', 'deleted'), ['turn/a deleted']],
  ['an empty message', push('turn/', ''), ['turn/ ']],
  ['line breaks in a name', push('turn/a\r\n$3\r\nb', '\r\n'), ['turn/a\r\n$3\r\nb \r\n']],
  ['the longest', push('turn/', long.slice(1)), [`turn/ ${long.slice(1)}`]],
  [
    'one that is too long, and the next',
    Buffer.concat([push('turn/', long), push('turn/b', '1')]),
    ['long', 'turn/b 1'],
  ],
  ['a channel that is too long', Buffer.concat([push(`turn/${long}`, 'x'), push('turn/b', '1')]), ['long', 'turn/b 1']],
  [
    'what is not a push',
    bytesOf(`+OK\r\n-ERR no\r\n:7\r\n${subscribed}`),
    ['OK', '-ERR no', '7', 'psubscribe|turn/*|1'],
  ],
  ['the answer to a PING', bytesOf('*2\r\n$4\r\npong\r\n$0\r\n\r\n'), ['pong|']],
  ['another pattern', bytesOf('*4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$1\r\na\r\n$1\r\nb\r\n'), ['pmessage|*|a|b']],
  ['a web server', bytesOf('HTTP/1.1 400 Bad Request\r\n\r\n'), ['broken']],
  ['a line without an end', bytesOf(`+${long}`), ['broken']],
  ['an endless array', bytesOf('*999999999\r\n'), ['broken']],
  ['an endless length', bytesOf('*2\r\n$99999999999\r\n'), ['broken']],
  ['a negative length', bytesOf('*2\r\n$-5\r\n'), ['broken']],
  ['a message without its end', bytesOf('*4\r\n$8\r\npmessage\r\n$6\r\nturn/*\r\n$1\r\na\r\n$1\r\nbcc'), ['broken']],
]

for (const [what, bytes, told] of texts) {
  test(`[R33] what a Redis pushes, whole and cut anywhere: ${what}`, () => {
    assert.deepEqual(read([bytes]), told)
    const step = Math.ceil(bytes.length / 60)
    for (let at = 0; at <= bytes.length; at += step) {
      assert.deepEqual(read([bytes.subarray(0, at), bytes.subarray(at)]), told, `cut at ${at}`)
    }
    assert.deepEqual(read(Array.from(bytes, (byte) => Uint8Array.of(byte))), told)
  })
}

test('[R33] 2 GB that somebody publishes at once are passed over', () => {
  const reader = new PushReader()
  const give = (bytes: Uint8Array) => {
    reader.room().set(bytes)
    reader.took(bytes.length)
    return reader.next()
  }
  const length = 2e9
  assert.equal(give(bytesOf(`*4\r\n$8\r\npmessage\r\n$6\r\nturn/*\r\n$6\r\nturn/x\r\n$${length}\r\n`)), 'partial')
  const some = Buffer.alloc(200_000)
  for (let given = 0; given < length; given += some.length) assert.equal(give(some), 'partial')
  assert.equal(give(bytesOf('\r\n')), 'long')
  assert.equal(give(push('turn/a', 'b')), 'event')
})

const letter = fc.oneof(
  fc.constantFrom(...'\r\n*$1 \0'),
  fc.nat(0xd7ff).map((code) => String.fromCodePoint(code)),
)
const word = fc.string({ unit: letter, maxLength: 40 })
const longWord = fc.constant(long)
const piece = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(word, fc.oneof(word, longWord)).map(([a, b]) => push(`turn/${a}`, b)) },
  { weight: 1, arbitrary: fc.constantFrom(...['+OK\r\n', subscribed, '*2\r\n$4\r\npong\r\n$0\r\n\r\n'].map(bytesOf)) },
)
const cuts = fc.array(fc.nat(5000), { maxLength: 30 })

function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = []
  let at = 0
  for (const size of sizes) {
    chunks.push(bytes.subarray(at, at + size))
    at = Math.min(bytes.length, at + size)
  }
  return [...chunks, bytes.subarray(at)]
}

test('[R33] any pushes, cut anywhere, are the same events', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), cuts, (pieces, sizes) => {
      const told = pieces.flatMap((one) => read([one]))
      assert.equal(told.length, pieces.length)
      assert.deepEqual(read(cut(Buffer.concat(pieces), sizes)), told)
    }),
    { numRuns: 100 },
  )
})

test('[R33] any garbage, behind or between pushes and cut anywhere, is read to the same end', () => {
  const garbage = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.string({ unit: fc.constantFrom(...'*$+-:\r\n0123459 px'), maxLength: 80 }).map(bytesOf),
  )
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, garbage), { maxLength: 8 }), cuts, (pieces, sizes) => {
      const bytes = Buffer.concat(pieces)
      assert.deepEqual(read(cut(bytes, sizes)), read([bytes]))
    }),
    { numRuns: 300 },
  )
})
