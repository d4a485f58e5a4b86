/** The content of entries as real programs pack and encrypt them. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { contentOf, contentStream, Damaged, prepare, Refused, type Stored } from '@fettle/zip/parts'
import { find } from '../harness.ts'

const folder = mkdtempSync(join(tmpdir(), 'fettle-real-zip-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** Words, so that all methods have something to do, long enough for windows and blocks to be left behind. */
function writing(length: number): Buffer {
  let seed = 1
  const next = () => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
    return seed >>> 8
  }
  const words = Array.from({ length: 2000 }, () => (next() + 2 ** 25).toString(36))
  let text = ''
  while (text.length < length)
    text += `${words[next() % words.length]}${next() % 50 === 0 ? '\n'.repeat(next() % 300) : ' '}`
  return Buffer.from(text)
}

const contents = {
  'empty.txt': Buffer.alloc(0),
  'one.txt': Buffer.from('x'),
  'short.txt': Buffer.from('hello, hello, hello\n'),
  'writing.txt': writing(3_000_000),
  'zeros.bin': Buffer.alloc(1_000_000),
  'noise.bin': Buffer.from(Array.from(writing(200_000), (byte, index) => (byte * index * 2654435761) >>> 11)),
}
for (const [name, content] of Object.entries(contents)) writeFileSync(join(folder, name), content)
const names = Object.keys(contents)

/** What the directory of a small archive says, read as plainly as can be. */
function entriesOf(archive: string): { name: string; entry: Stored; data: Buffer }[] {
  const bytes = readFileSync(archive)
  const end = bytes.lastIndexOf('PK\x05\x06', undefined, 'latin1')
  let at = bytes.readUInt32LE(end + 16)
  return Array.from({ length: bytes.readUInt16LE(end + 10) }, () => {
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) => bytes.readUInt16LE(at + offset))
    const extra = bytes.subarray(at + 46 + nameLength!, at + 46 + nameLength! + extraLength!)
    const entry = {
      flags: bytes.readUInt16LE(at + 8),
      method: bytes.readUInt16LE(at + 10),
      time: bytes.readUInt16LE(at + 12),
      crc: bytes.readUInt32LE(at + 16),
      compressed: bytes.readUInt32LE(at + 20),
      size: bytes.readUInt32LE(at + 24),
      aes: aesOf(extra),
    }
    const local = bytes.readUInt32LE(at + 42)
    const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28)
    const name = bytes.toString('utf8', at + 46, at + 46 + nameLength!)
    at += 46 + nameLength! + extraLength! + commentLength!
    return { name, entry, data: bytes.subarray(start, start + entry.compressed) }
  })
}

function aesOf(extra: Buffer): Stored['aes'] {
  for (let at = 0; at < extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 0x9901) continue
    return { version: extra.readUInt16LE(at + 4), strength: extra[at + 8]!, method: extra.readUInt16LE(at + 9) }
  }
  return undefined
}

async function streamed(entry: Stored, data: Buffer, secret?: Uint8Array): Promise<Buffer> {
  const pieces = async function* () {
    for (let at = 0; at < data.length; at += 10_007) yield data.subarray(at, at + 10_007)
  }
  const parts: Buffer[] = []
  for await (const part of contentStream(entry, pieces(), secret)) parts.push(part)
  return Buffer.concat(parts)
}

/** The methods that were met. */
async function compare(archive: string, secret?: Uint8Array): Promise<Set<number>> {
  const entries = entriesOf(archive)
  assert.equal(entries.length, names.length)
  const methods = new Set<number>()
  for (const { name, entry, data } of entries) {
    methods.add(entry.aes?.method ?? entry.method)
    await prepare(entry)
    const content = contents[name as keyof typeof contents]
    assert.ok(contentOf(entry, data, secret).equals(content), `${name} at once`)
    assert.ok((await streamed(entry, data, secret)).equals(content), `${name} in parts`)
  }
  return methods
}

function pack(program: '7zz' | 'zip' | 'python3', args: readonly string[]): void {
  execFileSync(find(program), args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
}

const PYTHON = `
import sys, zipfile
archive, method, *names = sys.argv[1:]
with zipfile.ZipFile(archive, 'w', getattr(zipfile, method)) as out:
    for name in names: out.write(name)
`

const sevenZip = (method: string, ...more: string[]) => {
  return (archive: string) => pack('7zz', ['a', '-tzip', `-mm=${method}`, ...more, archive, ...names])
}
const python = (method: string) => (archive: string) => pack('python3', ['-c', PYTHON, archive, method, ...names])

for (const [by, method, make] of [
  ['7zz, Copy', 0, sevenZip('Copy')],
  ['7zz, Deflate', 8, sevenZip('Deflate')],
  ['7zz, Deflate64', 9, sevenZip('Deflate64')],
  ['7zz, Deflate64, quickly', 9, sevenZip('Deflate64', '-mx=1')],
  ['7zz, BZip2', 12, sevenZip('BZip2')],
  ['7zz, BZip2, small blocks', 12, sevenZip('BZip2', '-mx=1')],
  ['7zz, LZMA', 14, sevenZip('LZMA')],
  ['7zz, LZMA, its own contexts', 14, sevenZip('LZMA:lc=1:lp=2:pb=0')],
  ['7zz, LZMA, a small dictionary', 14, sevenZip('LZMA:d=64k')],
  ['7zz, XZ', 95, sevenZip('XZ')],
  ['7zz, XZ, several blocks', 95, sevenZip('XZ', '-mmt=2', '-mx=1')],
  ['zip', 8, (archive: string) => pack('zip', ['-q', archive, ...names])],
  ['zip, bzip2', 12, (archive: string) => pack('zip', ['-q', '-Z', 'bzip2', archive, ...names])],
  ['python3, deflated', 8, python('ZIP_DEFLATED')],
  ['python3, bzip2', 12, python('ZIP_BZIP2')],
  ['python3, LZMA', 14, python('ZIP_LZMA')],
] as const) {
  test(`what ${by} packs is unpacked [Z19]`, async () => {
    const archive = join(folder, `${by}.zip`)
    make(archive)
    assert.ok((await compare(archive)).has(method))
  })
}

const PASSWORD = 'long & wide'

for (const [by, make] of [
  ['7zz, AES-128', sevenZip('Deflate', '-mem=AES128', `-p${PASSWORD}`)],
  ['7zz, AES-192', sevenZip('Deflate64', '-mem=AES192', `-p${PASSWORD}`)],
  ['7zz, AES-256', sevenZip('Copy', '-mem=AES256', `-p${PASSWORD}`)],
  ['7zz, ZipCrypto', sevenZip('Deflate', '-mem=ZipCrypto', `-p${PASSWORD}`)],
  ['zip', (archive: string) => pack('zip', ['-q', '-P', PASSWORD, archive, ...names])],
] as const) {
  test(`what ${by} encrypts is decrypted, with the right password only [Z20]`, async () => {
    const archive = join(folder, `${by} encrypted.zip`)
    make(archive)
    await compare(archive, Buffer.from(PASSWORD))
    const { entry, data } = entriesOf(archive).find(({ name }) => name === 'writing.txt')!
    const isLocked = (kind: string) => (error: unknown) => error instanceof Refused && error.kind === kind
    assert.throws(() => contentOf(entry, data), isLocked('encrypted'))
    await assert.rejects(streamed(entry, data), isLocked('encrypted'))
    // The traditional encryption lets one of 256 wrong passwords pass, and then it is the content that is wrong.
    let told = 0
    for (let tried = 0; tried < 20; tried++) {
      const wrong = Buffer.from(`wrong ${tried}`)
      assert.throws(
        () => contentOf(entry, data, wrong),
        (error: unknown) => {
          if (isLocked('password')(error)) told++
          else assert.ok(entry.aes === undefined && /or the password is wrong/.test((error as Error).message))
          return true
        },
      )
    }
    assert.ok(told >= 17)
    await assert.rejects(streamed(entry, data, Buffer.from('wrong 0')), isLocked('password'))
    const changed = Buffer.from(data)
    changed[data.length >> 1]! ^= 1
    assert.throws(() => contentOf(entry, changed, Buffer.from(PASSWORD)), Damaged)
    await assert.rejects(streamed(entry, changed, Buffer.from(PASSWORD)), Damaged)
    const unsealed = Buffer.from(data)
    unsealed[data.length - 1]! ^= 1
    if (entry.aes === undefined) return
    assert.throws(() => contentOf(entry, unsealed, Buffer.from(PASSWORD)), /seal/)
    await assert.rejects(streamed(entry, unsealed, Buffer.from(PASSWORD)), /seal/)
  })
}

for (const [spelling, bytes] of [
  ['UTF-8', Buffer.from('größer')],
  ['Latin-1', Buffer.from('größer', 'latin1')],
] as const) {
  test(`a password that was written in ${spelling} opens when it is given in UTF-8 [Z20]`, async () => {
    const archive = join(folder, `${spelling}.zip`)
    // Node passes arguments in UTF-8 only.
    const octal = Array.from(bytes, (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')
    const script = `exec "$0" -q -P "$(printf '${octal}')" "$@"`
    execFileSync('/bin/sh', ['-c', script, find('zip'), archive, ...names], { cwd: folder })
    await compare(archive, Buffer.from('größer'))
  })
}

test('what 7zz packs by PPMd is refused by its name [Z19]', () => {
  const archive = join(folder, 'ppmd.zip')
  sevenZip('PPMd')(archive)
  const { entry, data } = entriesOf(archive).find(({ name }) => name === 'writing.txt')!
  assert.throws(() => contentOf(entry, data), /method PPMd \(98\) is not read by fettle; 7zz x may/)
})

for (const [by, make] of [
  ['Deflate64', sevenZip('Deflate64')],
  ['BZip2', sevenZip('BZip2', '-mx=1')],
  ['LZMA', sevenZip('LZMA')],
  ['XZ', sevenZip('XZ')],
] as const) {
  test(`${by} that is cut or changed anywhere is damaged, and never more than that`, async () => {
    const archive = join(folder, `${by} damaged.zip`)
    make(archive)
    const { entry, data } = entriesOf(archive).find(({ name }) => name === 'writing.txt')!
    await prepare(entry)
    const tooLittle = new RegExp(`${entry.size} bytes come out of it, and not`)
    const isTold = (error: unknown) => {
      assert.ok(error instanceof Damaged || error instanceof Refused, (error as Error).stack)
      return true
    }
    assert.throws(() => contentOf({ ...entry, size: entry.size - 1 }, data), /more comes out of it/)
    assert.throws(() => contentOf({ ...entry, size: entry.size + 1 }, data), tooLittle)
    await assert.rejects(streamed({ ...entry, size: entry.size - 1 }, data), /more comes out of it/)
    await assert.rejects(streamed({ ...entry, size: entry.size + 1 }, data), tooLittle)
    for (const length of [0, 1, 11, 40, 1000, data.length >> 1, data.length - 200]) {
      assert.throws(() => contentOf(entry, data.subarray(0, length)), /its data ends early/)
      await assert.rejects(streamed(entry, data.subarray(0, length)), /its data ends early/)
    }
    // Near the beginning everything is different, so that there are many ways to be wrong.
    const places = Array.from({ length: 80 }, (_, index) => (index < 60 ? index : (index * 2654435761) % 30_000))
    for (const place of places) {
      const changed = Buffer.from(data)
      changed[place]! ^= 1 << (place % 8)
      try {
        // What is told apart by nothing, as the version of LZMA, changes nothing.
        assert.ok(contentOf(entry, changed).equals(contents['writing.txt']), `byte ${place}`)
      } catch (error) {
        isTold(error)
      }
    }
    const noise = contents['noise.bin']
    for (let at = 0; at < 10_000; at += 500) assert.throws(() => contentOf(entry, noise.subarray(at)), isTold)
  })
}
