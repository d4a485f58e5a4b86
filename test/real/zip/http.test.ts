/** Archives behind a real nginx: what is asked for, what comes back, and what is told when it does not. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { Unseen } from '@fettle/check'
import { type HttpOptions, openHttp, type Source } from '@fettle/zip/parts'
import { Ground } from '../harness.ts'
import { openPath, startNginx } from './nginx.ts'

const archive = randomBytes(12_000_000)
const ground = new Ground({ after: (hook) => after(hook) })
const nginx = await startNginx(ground, archive)

type Options = Partial<HttpOptions>

function open(path: string | URL, options: Options = {}): Promise<Source> {
  const { signal } = new AbortController()
  return openHttp(typeof path === 'string' ? nginx.url(path) : path, { headers: {}, signal, ...options })
}

/** Reads what is meant, and closes it. */
async function opened<T>(path: string | URL, use: (source: Source) => Promise<T>, options: Options = {}): Promise<T> {
  const source = await open(path, options)
  try {
    return await use(source)
  } finally {
    await source.close()
  }
}

async function isRead(source: Source, start: number, end: number): Promise<void> {
  assert.ok((await source.read(start, end)).equals(archive.subarray(start, end)), `${start}-${end}`)
}

const tells = (words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof Unseen, String(error))
  assert.match(error.message, words)
  assert.doesNotMatch(error.message, /\n|secret|pass.?word/)
  return true
}

test('the end comes with the first request, and the rest by ranges at the same time [Z22]', async () => {
  await nginx.asked()
  await opened('/a.zip?signature=secret', async (source) => {
    assert.equal(source.size, archive.length)
    assert.doesNotMatch(source.name, /secret/)
    assert.equal(source.cost.requests, 1)
    assert.ok(source.cost.bytes < 70_000)
    await isRead(source, archive.length - 60_000, archive.length)
    await isRead(source, archive.length, archive.length)
    assert.equal(source.cost.requests, 1)
    const pieces = Array.from({ length: 12 }, (_, index) => [index * 900_000, index * 900_000 + 123_457] as const)
    await Promise.all(pieces.map(([start, end]) => isRead(source, start, end)))
    assert.equal(source.cost.requests, 13)
    // What the end holds of it is not fetched again.
    const before = source.cost.bytes
    await isRead(source, archive.length - 70_000, archive.length - 10_000)
    assert.ok(source.cost.bytes - before < 5000)
  })
  const asked = await nginx.asked()
  assert.equal(asked.length, 14)
  assert.match(asked[0]!, /^206 \/a\.zip bytes=-\d+ *$/)
  for (const line of asked.slice(1)) assert.match(line, /^206 \/a\.zip bytes=\d+-\d+ "[0-9a-f-]+" *$/)
})

test('a server without ETag is asked by date [Z23]', async () => {
  await nginx.asked()
  await opened('/undated/a.zip', (source) => isRead(source, 5, 500_000))
  assert.match((await nginx.asked())[1]!, /^206 \S+ bytes=5-499999 \w{3}, .* GMT *$/)
})

test('a small archive is read in one request, ranges or not', async () => {
  for (const path of ['/small.zip', '/none/small.zip']) {
    await opened(path, async (source) => {
      assert.equal(source.size, 70_000)
      await isRead(source, 69_000, 70_000)
      assert.ok(source.cost.requests === 1)
    })
  }
  await assert.rejects(open('/empty.zip'), tells(/: is empty; it is no archive/))
})

test('a server without ranges is refused before the archive comes, and obeyed when it may be downloaded [Z24]', async () => {
  await assert.rejects(open('/none/a.zip'), tells(/sends the archive only whole, 12 MB, and no ranges.*--download/))
  await opened(
    '/none/a.zip',
    async (source) => {
      assert.equal(source.size, archive.length)
      assert.deepEqual(
        readdirSync(nginx.folder).filter((name) => name.includes('fettle')),
        [],
      )
      await isRead(source, 0, archive.length)
    },
    { download: nginx.folder },
  )
})

test('an archive that is compressed on its way is refused, whatever may be downloaded [Z24]', async () => {
  for (const options of [{}, { download: nginx.folder }]) {
    await assert.rejects(open('/packed/a.zip', options), tells(/compresses the archive once more.*try another URL/))
  }
})

test('a slow link is waited for', async () => {
  const before = performance.now()
  const patience = { idleMilliseconds: 1500 }
  await opened('/slow/a.zip', (source) => isRead(source, 0, 5_000_000), patience)
  assert.ok(performance.now() - before > 1900)
})

test('what is cut off goes on where it was cut [Z23]', async () => {
  // The first connection brings the end; the others break off at their own places, one before any answer.
  const path = await openPath(ground.address(4), nginx.host, [400_000, 700_000, 0, 1_000_000])
  try {
    await nginx.asked()
    await opened(new URL(`http://${ground.address(4)}:${path.port}/a.zip`), async (source) => {
      await isRead(source, 1000, 4_001_000)
      assert.ok(source.cost.bytes < 4_000_000 + 70_000)
    })
    const starts = (await nginx.asked()).map((line) => Number(/bytes=(\d+)-4000999 /.exec(line)?.[1] ?? 0))
    assert.deepEqual(
      starts,
      starts.toSorted((one, other) => one - other),
    )
    assert.ok(starts.length >= 4 && starts.at(-1)! > 1_900_000, String(starts))
  } finally {
    await path.close()
  }
})

test('a connection that falls silent is given up and made again; after five times it is told [Z23]', async () => {
  const path = await openPath(ground.address(5), nginx.host, [-400_000, ...Array(5).fill(-1)])
  const url = new URL(`http://${ground.address(5)}:${path.port}/a.zip`)
  try {
    const source = await open(url, { idleMilliseconds: 300 })
    await assert.rejects(source.read(0, 4_000_000), tells(/: nothing came for 0\.3 s; tried 5 times/))
    assert.equal(path.passed.length, 5)
    await isRead(source, 100_000, 200_000)
    await source.close()
  } finally {
    await path.close()
  }
})

test('an archive that changes while it is read is not read on [Z23]', async () => {
  for (const place of ['', 'undated/']) {
    const content = randomBytes(3_000_000)
    writeFileSync(join(nginx.folder, 'www/changing.zip'), content)
    await opened(`/${place}changing.zip`, async (source) => {
      assert.ok((await source.read(0, 1000)).equals(content.subarray(0, 1000)))
      const before = source.cost.bytes
      writeFileSync(join(nginx.folder, 'www/changing.zip'), content.subarray(0, 2_900_000))
      await assert.rejects(source.read(1000, 2_000_000), tells(/the archive was changed while it was read; run this/))
      assert.equal(source.cost.bytes, before)
    })
  }
})

test('redirects are followed once, and secrets are not told to another host [Z24]', async () => {
  const options = { headers: { 'x-token': 'secret' } }
  await nginx.asked()
  await opened('/moved', (source) => isRead(source, 0, 1000), options)
  assert.deepEqual(
    (await nginx.asked()).map((line) =>
      line
        .replace(/ bytes=\S+( "\S+")?/, '')
        .replace('  ', ' ')
        .trimEnd(),
    ),
    ['302 /moved secret', '206 /a.zip secret', '206 /a.zip secret'],
  )
  await opened('/away', (source) => isRead(source, 0, 1000), options)
  assert.deepEqual(
    (await nginx.asked()).map((line) =>
      line
        .replace(/ bytes=\S+( "\S+")?/, '')
        .replace('  ', ' ')
        .trimEnd(),
    ),
    ['307 /away secret', '206 /a.zip', '206 /a.zip'],
  )
  await assert.rejects(open('/round'), tells(/redirects more than 5 times/))
  await assert.rejects(open('/ftp'), tells(/redirects to no URL/))
})

test('TLS needs a certificate that is trusted, and is never left for a connection without', async () => {
  await assert.rejects(open(nginx.tlsUrl('/a.zip')), tells(/its certificate is signed by itself only/))
  const trusted = getCACertificates('default')
  setDefaultCACertificates([...trusted, nginx.certificate])
  try {
    await nginx.asked()
    await opened(nginx.tlsUrl('/a.zip'), (source) => isRead(source, 1000, 2_000_000))
    assert.equal((await nginx.asked()).length, 2)
    await assert.rejects(open(nginx.tlsUrl('/down')), tells(/is not encrypted; it is not followed/))
    assert.equal((await nginx.asked()).length, 1)
  } finally {
    setDefaultCACertificates(trusted)
  }
})

test('who may not read is told in one line, and who may is let in by header or URL', async () => {
  await assert.rejects(open('/auth/a.zip'), tells(/wants to know who asks \(401\).*--header-from FILE/))
  await assert.rejects(open('/forbidden'), tells(/\(403\)/))
  await assert.rejects(open('/nothing.zip'), tells(/nothing under this URL \(404\)/))
  await assert.rejects(open('/gone'), tells(/gone for good \(410\)/))
  const authorization = `Basic ${Buffer.from('ann:pass@word').toString('base64')}`
  await opened('/auth/a.zip', (source) => isRead(source, 0, 1000), { headers: { authorization } })
  const url = nginx.url('/auth/a.zip')
  url.username = 'ann'
  url.password = 'pass@word'
  await opened(url, async (source) => {
    await isRead(source, 0, 1000)
    assert.doesNotMatch(source.name, /ann|word/)
  })
  url.password = 'other'
  await assert.rejects(open(url), tells(/\(401\)/))
})

test('a server that asks to be left alone for a while is [Z23]', async () => {
  await nginx.asked()
  const before = performance.now()
  await opened('/busy/a.zip', (source) => isRead(source, 0, 1000))
  assert.ok(performance.now() - before > 950)
  assert.deepEqual(
    (await nginx.asked()).map((line) => line.slice(0, 3)),
    ['206', '429', '206'],
  )
})

test('nobody who listens is told, and an abort ends everything at once', async () => {
  await assert.rejects(open(new URL(`http://${ground.address(9)}:1/a.zip`)), tells(/nothing listens there; tried 3/))
  const controller = new AbortController()
  const source = await open('/slow/a.zip', { signal: controller.signal })
  const reading = Promise.allSettled(Array.from({ length: 6 }, (_, index) => source.read(index, 9_000_000)))
  setTimeout(() => controller.abort(new Error('enough')), 200)
  const before = performance.now()
  for (const result of await reading) assert.equal((result as PromiseRejectedResult).reason?.message, 'enough')
  assert.ok(performance.now() - before < 1500)
  await assert.rejects(source.read(0, 5), /enough/)
  await source.close()
})
