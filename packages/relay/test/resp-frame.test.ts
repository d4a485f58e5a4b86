import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { REQUEST_MAX, RequestReader } from '../src/ingest/resp-frame.ts'
import { request } from './resp-endpoint.ts'

/** Reads the chunks as the endpoint does: what is not whole waits for the next. Ends with `broken: ...` if it breaks. */
function readChunks(chunks: readonly Uint8Array[]): string[] {
  const reader = new RequestReader()
  const found: string[] = []
  let rest: Uint8Array = new Uint8Array(0)
  for (const chunk of chunks) {
    const bytes = Buffer.concat([rest, chunk])
    reader.open(bytes)
    for (let result = reader.next(); result !== 'partial'; result = reader.next()) {
      if (result === 'broken') return [...found, `broken: ${reader.problem}`]
      const words = Array.from({ length: reader.count }, (_, i) => bytes.subarray(reader.start[i]!, reader.end[i]!))
      found.push(words.map(shown).join(' '))
    }
    rest = bytes.subarray(reader.at)
  }
  return found
}

/** A long word only by its length. */
const shown = (word: Uint8Array) => {
  const text = Buffer.from(word).toString('latin1')
  return text.length > 200 ? `[${text.length}]` : text
}

const readText = (text: string) => readChunks([Buffer.from(text, 'latin1')])

/** What coturn 4.6.1 sends on one connection from its start to the end of a short call. */
const path = 'turn/realm/example.org/user/1767229200:alice/allocation/000000000000000001'
const status = 'lifetime=600, type=UDP, local=192.0.2.1:3478, remote=198.51.100.7:40000, ssl=NONE, cipher=NONE'
const conversation = [
  ['AUTH', 'tok1'],
  ['select', '0'],
  ['keys', 'turn/*/allocation/*/status'],
  ['set', `${path}/status`, `new ${status}`],
  ['publish', `${path}/status`, `new ${status}`],
  ['publish', '__XXX__', '__YYY__'],
  ['publish', `${path}/traffic`, 'rcvp=1024, rcvb=512000, sentp=1024, sentb=512000'],
  ['publish', `${path}/traffic/peer`, 'rcvp=1024, rcvb=507904, sentp=1024, sentb=507904'],
  ['del', `${path}/status`, ''],
  ['publish', `${path}/status`, 'deleted'],
  ['publish', `${path}/total_traffic`, 'rcvp=1024, rcvb=512000, sentp=1024, sentb=512000'],
]
const recorded = Buffer.concat(conversation.map((words) => request(...words)))
const expected = conversation.map((words) => words.join(' '))

test('what coturn sends is read whole', () => {
  assert.deepEqual(readChunks([recorded]), expected)
})

test('a recorded stream cut in two at any place gives the same requests', () => {
  for (let at = 0; at <= recorded.length; at++) {
    assert.deepEqual(readChunks([recorded.subarray(0, at), recorded.subarray(at)]), expected, `cut at ${at}`)
  }
})

test('a recorded stream that comes byte by byte gives the same requests', () => {
  assert.deepEqual(readChunks(Array.from(recorded, (byte) => Uint8Array.of(byte))), expected)
})

/** Cuts the bytes at these places. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = Array.from(new Set(places.map((place) => place % (bytes.length + 1)))).sort((a, b) => a - b)
  return [...ends, bytes.length].map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end))
}

const word = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.constantFrom('\r\n', '$3\r\n', '*1\r\n', '\0', '').map(Buffer.from),
)
const requests = fc.array(fc.array(word, { minLength: 1, maxLength: 16 }), { maxLength: 12 })
const places = fc.array(fc.nat(20_000), { maxLength: 30 })

test('requests of any bytes, cut anywhere, come out as they went in', () => {
  fc.assert(
    fc.property(requests, places, (all, where) => {
      const bytes = Buffer.concat(all.map((words) => request(...words)))
      const wanted = all.map((words) => words.map(shown).join(' '))
      assert.deepEqual(readChunks(cut(bytes, where)), wanted)
    }),
  )
})

test('garbage, cut anywhere, is read to the same end', () => {
  const bit = fc.constantFrom(
    '*',
    '$',
    '1',
    '3',
    '9',
    '-',
    '\r\n',
    '\n',
    ' ',
    'x',
    '\0',
    '*1\r\n$4\r\nPING\r\n',
    'PING\r\n',
  )
  fc.assert(
    fc.property(fc.array(bit, { maxLength: 60 }), places, (bits, where) => {
      const bytes = Buffer.from(bits.join(''), 'latin1')
      assert.deepEqual(readChunks(cut(bytes, where)), readChunks([bytes]))
    }),
    { numRuns: 2000 },
  )
})

const inline: readonly (readonly [string, readonly string[]])[] = [
  ['PING\r\n', ['PING']],
  ['PING\n', ['PING']],
  ['  AUTH   tok1  \r\n', ['AUTH tok1']],
  ['\r\n\r\nPING\r\n', ['', '', 'PING']],
  ['PING\r\n*1\r\n$4\r\nPING\r\nPING\r\n', ['PING', 'PING', 'PING']],
  ['a\0b c\r\n', ['a\0b c']],
  ['PING', []],
  ['PING\r', []],
]

for (const [text, words] of inline) {
  test(`an inline request: ${JSON.stringify(text)}`, () => assert.deepEqual(readText(text), words))
}

const many = (count: number, part: string) => Array.from({ length: count }, () => part).join('')

const hostile: readonly (readonly [what: string, text: string, problem: string])[] = [
  ['a negative count', '*-1\r\n', 'invalid multibulk length'],
  ['a count of millions', '*999999999\r\n', 'invalid multibulk length'],
  ['a count beyond all numbers', `*${many(400, '9')}`, 'invalid multibulk length'],
  ['one argument too many', `*17\r\n${many(17, '$1\r\nx\r\n')}`, 'invalid multibulk length'],
  ['a count that is none', '*x\r\n', 'invalid multibulk length'],
  ['no count', '*\r\n', 'invalid multibulk length'],
  ['a count without CR', '*1\n$4\r\nPING\r\n', 'invalid multibulk length'],
  ['CR without LF', '*1\rx', 'invalid multibulk length'],
  ['a null bulk', '*1\r\n$-1\r\n', 'invalid bulk length'],
  ['a bulk of 99 GB', '*1\r\n$99999999999\r\n', 'invalid bulk length'],
  ['a bulk above the limit', `*1\r\n$${REQUEST_MAX + 1}\r\n`, 'invalid bulk length'],
  ['no bulk', '*1\r\nPING\r\n', "expected '$'"],
  ['a nested array', '*1\r\n*1\r\n$4\r\nPING\r\n', "expected '$'"],
  ['a bulk longer than it says', '*1\r\n$4\r\nPINGPING\r\n', 'bulk without its end'],
  ['a bulk without its CRLF', '*1\r\n$4\r\nPING\n\n', 'bulk without its end'],
  ['a line without an end', 'x'.repeat(REQUEST_MAX + 1), 'request too long'],
  ['a line too long', `${'x'.repeat(REQUEST_MAX + 1)}\n`, 'request too long'],
  ['a line of too many words', `${many(17, 'x ')}\n`, 'too many arguments'],
  ['NUL bytes without an end', '\0'.repeat(REQUEST_MAX + 1), 'request too long'],
  [
    'arguments too long together',
    `*2\r\n$16000\r\n${'x'.repeat(16_000)}\r\n$16000\r\n${'x'.repeat(500)}`,
    'request too long',
  ],
]

for (const [what, text, problem] of hostile) {
  test(`[R28] refused, at once or in pieces: ${what}`, () => {
    assert.deepEqual(readText(text), [`broken: ${problem}`])
    const bytes = Buffer.from(text, 'latin1')
    const pieces = cut(
      bytes,
      Array.from({ length: 40 }, (_, i) => i * 400),
    )
    assert.deepEqual(readChunks(pieces), [`broken: ${problem}`])
  })
}

test('[R28] a request is whole or refused by its length alone, however it comes', () => {
  const long = request('PUBLISH', 'x'.repeat(9000), 'y'.repeat(9000))
  assert.deepEqual(readChunks([long]), ['broken: request too long'])
  assert.deepEqual(readChunks(cut(long, [9000, 17_000])), ['broken: request too long'])
  const most = request('PUBLISH', 'x'.repeat(9000), 'y'.repeat(REQUEST_MAX - 9000 - 40))
  assert.ok(most.length <= REQUEST_MAX)
  const words = [`PUBLISH [9000] [${REQUEST_MAX - 9040}]`]
  assert.deepEqual(readChunks([most]), words)
  assert.deepEqual(readChunks(cut(most, [9000, 16_000])), words)
})

test('[R28] what is not whole yet stays below the limit', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.array(fc.uint8Array({ maxLength: 9000 })), (head, chunks) => {
      const reader = new RequestReader()
      let rest: Uint8Array = new Uint8Array(0)
      for (const chunk of [head, ...chunks]) {
        const bytes = Buffer.concat([rest, chunk])
        reader.open(bytes)
        let result = reader.next()
        while (result === 'request') result = reader.next()
        if (result === 'broken') return
        rest = bytes.subarray(reader.at)
        assert.ok(rest.length <= REQUEST_MAX)
      }
    }),
    { numRuns: 300 },
  )
})
