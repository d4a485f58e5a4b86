import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ReplyReader } from '../src/ingest/upstream-reply.ts'

/** What is told of replies that come in these pieces, as lines of text. */
function read(chunks: readonly Uint8Array[], wantsWords = true): string[] {
  const told: string[] = []
  const reader = new ReplyReader({
    reply: (error) => told.push(error === undefined ? 'reply' : `error ${error}`),
    wantsWords: () => wantsWords,
    word: (bytes) => told.push(`word ${bytes.toString('latin1')}`),
  })
  for (const chunk of chunks) if (!reader.read(chunk)) return [...told, 'not Redis']
  return told
}

const readText = (text: string) => read([Buffer.from(text, 'latin1')])

const replies: readonly (readonly [text: string, told: readonly string[]])[] = [
  [':1\r\n:0\r\n:-1\r\n', ['reply', 'reply', 'reply']],
  ['+OK\r\n+PONG\r\n', ['reply', 'reply']],
  ['-ERR no\r\n:1\r\n', ['error ERR no', 'reply']],
  ['*0\r\n*-1\r\n$-1\r\n', ['reply', 'reply', 'reply']],
  ['$5\r\na\r\nbc\r\n:1\r\n', ['word a\r\nbc', 'reply', 'reply']],
  ['$0\r\n\r\n', ['word ', 'reply']],
  ['*2\r\n$1\r\na\r\n$1\r\nb\r\n:1\r\n', ['word a', 'word b', 'reply', 'reply']],
  ['*2\r\n*1\r\n$1\r\na\r\n:7\r\n-ERR x\r\n', ['word a', 'reply', 'error ERR x']],
  [`$2000\r\n${'x'.repeat(2000)}\r\n:1\r\n`, ['reply', 'reply']],
  ['%1\r\n+a\r\n+b\r\n', ['not Redis']],
  ['\r\n', ['not Redis']],
  ['$x\r\n', ['not Redis']],
  ['$-2\r\n', ['not Redis']],
  ['*9999999999\r\n', ['not Redis']],
  ['HTTP/1.1 200 OK\r\n', ['not Redis']],
]

for (const [text, told] of replies) {
  const shown = JSON.stringify(text.length > 60 ? `${text.slice(0, 20)}...` : text)
  test(`replies of a Redis, in one piece and cut anywhere: ${shown}`, () => {
    assert.deepEqual(readText(text), told)
    const bytes = Buffer.from(text, 'latin1')
    assert.deepEqual(read(Array.from(bytes, (byte) => Uint8Array.of(byte))), told)
    for (let at = 0; at <= bytes.length; at++) {
      assert.deepEqual(read([bytes.subarray(0, at), bytes.subarray(at)]), told, `cut at ${at}`)
    }
  })
}

test('a line of a megabyte is kept no longer than its beginning', () => {
  const [line] = read(Array.from({ length: 1000 }, () => Buffer.alloc(1000, '-x')).concat(Buffer.from('\r\n')))
  assert.ok(line!.startsWith('error x-x-') && line!.length < 1100, `${line!.length}`)
})

test('words that nobody wants are left out', () => {
  assert.deepEqual(read([Buffer.from('*2\r\n$1\r\na\r\n$1\r\nb\r\n')], false), ['reply'])
})

test('any garbage, cut anywhere, is read to the same end', () => {
  const bits = fc.constantFrom(
    '*',
    '$',
    ':',
    '-',
    '+',
    '1',
    '2',
    '-1',
    '\r\n',
    '\n',
    'x',
    '*1\r\n',
    '$1\r\nx\r\n',
    ':1\r\n',
  )
  fc.assert(
    fc.property(fc.array(bits, { maxLength: 40 }), fc.array(fc.nat(200), { maxLength: 20 }), (parts, places) => {
      const bytes = Buffer.from(parts.join(''), 'latin1')
      const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
      const chunks = ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end))
      assert.deepEqual(read(chunks), read([bytes]))
    }),
    { numRuns: 1000 },
  )
})
