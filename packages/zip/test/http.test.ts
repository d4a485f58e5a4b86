/** Servers that answer otherwise than nginx does. */
import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { describe, test } from 'node:test'
import { Unseen } from '@fettle/check'
import { readHeaders } from '../src/source/headers.ts'
import { openHttp } from '../src/source/http.ts'
import { retryAfterSeconds } from '../src/source/ranges.ts'
import { shownUrl } from '../src/source/request.ts'
import type { Source } from '../src/source/source.ts'

const archive = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 2654435761) >>> 13))

type Answer = (range: { start: number; end: number }, request: IncomingMessage, response: ServerResponse) => void

/** Answers the first request as it should be, with these headers, and all others by `answer`. */
async function served(
  first: Record<string, string>,
  answer: Answer,
  use: (source: Source, url: URL) => Promise<void>,
): Promise<void> {
  let count = 0
  const server = createServer((request, response) => {
    if (count++ > 0) return answer(rangeOf(request), request, response)
    const { start, end } = rangeOf(request)
    response.writeHead(206, { ...first, 'content-range': `bytes ${start}-${end - 1}/${archive.length}` })
    response.end(archive.subarray(start, end))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const url = new URL(`http://127.0.0.1:${port}/a.zip`)
  try {
    const source = await openHttp(url, { headers: {}, signal: new AbortController().signal })
    try {
      await use(source, url)
    } finally {
      await source.close()
    }
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}

function rangeOf(request: IncomingMessage): { start: number; end: number } {
  const [, start, last] = /^bytes=(\d*)-(\d+)$/.exec(request.headers.range ?? '') ?? []
  if (start === '') return { start: archive.length - Number(last), end: archive.length }
  return { start: Number(start), end: Number(last) + 1 }
}

const tells = (words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof Unseen, String(error))
  assert.match(error.message, words)
  return true
}

/** An answer with these headers, which is else as it should be. */
const otherwise = (headers: (start: number, end: number) => Record<string, string | number>, bytes = 0): Answer => {
  return ({ start, end }, _, response) => {
    response.writeHead(206, { 'content-range': `bytes ${start}-${end - 1}/${archive.length}`, ...headers(start, end) })
    response.end(archive.subarray(start, end + bytes))
  }
}

describe('an answer to a request for a range', () => {
  for (const [what, answer, words] of [
    [
      'with another size',
      otherwise((start, end) => ({ 'content-range': `bytes ${start}-${end - 1}/300001` })),
      /changed/,
    ],
    ['with another ETag', otherwise(() => ({ etag: 'W/"2"' })), /the archive was changed while it was read/],
    ['from elsewhere', otherwise((start, end) => ({ 'content-range': `bytes ${start + 1}-${end}/300000` })), /another/],
    [
      'of no range',
      otherwise(() => ({ 'content-range': 'bytes 1000-10/300000' })),
      /does not say which range it sends/,
    ],
    ['in parts', otherwise(() => ({ 'content-type': 'multipart/byteranges; boundary=x' })), /one range with several/],
    ['compressed', otherwise(() => ({ 'content-encoding': 'gzip' })), /compresses the archive once more/],
    ['that is longer than it says', otherwise(() => ({}), 5), /sends more than the range/],
    ['that announces less', otherwise((start, end) => ({ 'content-length': end - start - 5 }), -5), /another range/],
  ] as const) {
    test(`${what} is not taken`, async () => {
      await served({ etag: 'W/"1"' }, answer, async (source) => {
        await assert.rejects(source.read(1000, 2000), tells(words))
      })
    })
  }
})

test('a weak ETag is compared, and never sent', async () => {
  const conditions: unknown[] = []
  const answer: Answer = (range, request, response) => {
    conditions.push(request.headers['if-range'])
    otherwise(() => ({ etag: 'W/"1"' }))(range, request, response)
  }
  await served({ etag: 'W/"1"', 'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT' }, answer, async (source) => {
    assert.deepEqual(await source.read(1000, 2000), archive.subarray(1000, 2000))
  })
  assert.deepEqual(conditions, [undefined])
})

test('a place that a redirect led to is left for a new one when it is no longer valid', async () => {
  const asked: string[] = []
  const answer: Answer = (range, request, response) => {
    asked.push(request.url ?? '')
    if (request.url === '/a.zip') response.writeHead(302, { location: `/signed?key=${asked.length}` }).end()
    else if (request.url === '/signed?key=1' && asked.length > 2) response.writeHead(403).end()
    else otherwise(() => ({}))(range, request, response)
  }
  await served({}, answer, async (_, url) => {
    const source = await openHttp(url, { headers: {}, signal: new AbortController().signal })
    assert.deepEqual(await source.read(1000, 2000), archive.subarray(1000, 2000))
    assert.deepEqual(await source.read(2000, 3000), archive.subarray(2000, 3000))
    await source.close()
  })
  assert.deepEqual(asked, ['/a.zip', '/signed?key=1', '/signed?key=1', '/a.zip', '/signed?key=4', '/signed?key=4'])
})

test('how long to wait is read as seconds or as a date, and never believed beyond half a minute', () => {
  const now = Date.parse('Thu, 01 Jan 2026 00:00:00 GMT')
  for (const [text, seconds] of [
    ['3', 3],
    ['Thu, 01 Jan 2026 00:00:07 GMT', 7],
    ['Thu, 01 Jan 2025 00:00:00 GMT', 0],
    ['999999', 30],
    ['soon', undefined],
    [undefined, undefined],
  ] as const) {
    assert.equal(retryAfterSeconds({ 'retry-after': text }, now), seconds)
  }
})

test('a URL is shown without what may be secret', () => {
  const url = new URL('https://ann:secret@example.org/a.zip?signature=secret#secret')
  assert.equal(shownUrl(url), 'https://example.org/a.zip?...')
})

test('headers are read from lines, and what is wrong with one is told without it', () => {
  assert.deepEqual(readHeaders('# for the archive\nAuthorization: Bearer a:b=\r\n\nX-Empty:\n'), {
    ok: true,
    value: { authorization: 'Bearer a:b=', 'x-empty': '' },
  })
  for (const text of [
    'secret',
    ': secret',
    'X secret: a',
    'X-A: secret\x07',
    'X-A: secret\rX-B: secret',
    'Range: secret',
    'X-A: secret\nx-a: secret',
    'X-A: sécret',
    'X-A: secret\n'.repeat(200),
  ]) {
    const read = readHeaders(text)
    assert.ok(!read.ok, JSON.stringify(text))
    assert.doesNotMatch(read.faults.join(), /s.cret/)
  }
})
