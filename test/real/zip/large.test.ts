/** Archives that are large, split, cut off, behind a program, or of another country, as real programs make them. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { closeSync, mkdirSync, openSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { crc32 } from 'node:zlib'
import { launcher } from '../fettle.ts'
import { find, Ground } from '../harness.ts'
import { askPython, cutTail, makeSplit, runProgram } from './archives.ts'
import { extractWithFettle, listWithFettle, thingsIn } from './extracting.ts'
import {
  centralRecord,
  deflatedEnd,
  deflatedPiece,
  endRecords,
  FILE,
  type Fields,
  field,
  localHeader,
} from './writer.ts'

const NONE = Buffer.alloc(0)

function fieldsOf(name: string, method: number, crc: number, size: number, compressed: number, offset: number): Fields {
  // Sizes and offset as zip64 has them, in both headers.
  const numbers = Buffer.alloc(24)
  for (const [i, number] of [size, compressed, offset].entries()) numbers.writeBigUInt64LE(BigInt(number), 8 * i)
  const extra = field(1, numbers)
  return {
    ...{ signature: 0, madeBy: 0x031e, version: 45, flags: 0, method, time: 0, date: 0x585d, crc },
    ...{ compressed: 0xffffffff, size: 0xffffffff, offset: 0xffffffff, nameLength: name.length },
    ...{ extraLength: extra.length, commentLength: 0, disk: 0, internal: 0, external: FILE * 2 ** 16 },
    ...{ name: Buffer.from(name), extra, comment: NONE },
  }
}

const PIECE = 2 ** 24
const PIECES = 270

/** 4.5 GB of a text, deflated to a hundredth; 4.4 GB that are a hole; and a small file behind both. */
function writeHuge(path: string): { readonly sizes: readonly number[]; readonly text: Buffer } {
  const text = Buffer.alloc(PIECE, Array.from({ length: 800 }, (_, i) => `line ${i * 7919}\n`).join(''))
  const small = deflatedPiece(text)
  let crc = 0
  for (let i = 0; i < PIECES; i++) crc = crc32(text, crc)
  const file = openSync(path, 'w')
  let at = 0
  const write = (bytes: Uint8Array) => {
    at += writeSync(file, bytes, 0, bytes.length, at)
  }
  const hole = 4_400_000_000
  const records: Fields[] = []
  const add = (fields: Fields) => {
    records.push(fields)
    write(localHeader(fields))
  }
  add(fieldsOf('text', 8, crc, PIECES * PIECE, PIECES * small.length + deflatedEnd.length, at))
  for (let i = 0; i < PIECES; i++) write(small)
  write(deflatedEnd)
  // Nobody reads it: its sum is not asked for.
  add(fieldsOf('hole', 0, 0, hole, hole, at))
  at += hole
  const content = Buffer.from('behind all of it\n')
  add(fieldsOf('small', 0, crc32(content), content.length, content.length, at))
  write(content)
  const offset = at
  for (const fields of records) write(centralRecord(fields))
  for (const part of endRecords({ entries: records.length, size: at - offset, offset }, { end64: {} })) write(part)
  closeSync(file)
  return { sizes: [PIECES * PIECE, hole, content.length], text }
}

test('entries of more than 4 GiB, and one that lies behind them [Z1]', async (t) => {
  const ground = new Ground(t)
  const archive = join(ground.folder, 'huge.zip')
  const { sizes, text } = writeHuge(archive)
  const said = runProgram('7zz', ['l', '-slt', archive], ground.folder).toString()
  assert.deepEqual(
    [...said.matchAll(/^Size = (\d+)$/gm)].map((match) => Number(match[1])),
    sizes,
  )
  assert.deepEqual(
    (await listWithFettle(archive)).map(({ size }) => size),
    sizes,
  )

  const { status } = await extractWithFettle(archive, join(ground.folder, 'out'), 'small')
  assert.equal(status, 0)
  assert.equal(thingsIn(join(ground.folder, 'out')).get('small')?.content?.toString(), 'behind all of it\n')

  // As much as would fill a disk goes through a pipe, and is counted by another program.
  const expected = createHash('md5')
  for (let i = 0; i < PIECES; i++) expected.update(text)
  const sum = await run(ground, `${fettleLine('cat', archive, 'text')} | md5sum`)
  assert.equal(sum.split(' ')[0], expected.digest('hex'))
})

/** For a shell. */
const fettleLine = (...words: string[]) =>
  [process.execPath, launcher, 'zip', ...words].map((word) => `'${word}'`).join(' ')

async function run(ground: Ground, script: string): Promise<string> {
  const running = ground.start('/bin/bash', ['-o', 'pipefail', '-c', script])
  assert.equal(await running.ended, 0, running.output)
  return running.output
}

test('70,000 entries, of which one folder is wanted', async (t) => {
  const ground = new Ground(t)
  const archive = join(ground.folder, 'many.zip')
  askPython([{ call: 'many', archive, entries: 70_000 }])
  assert.equal((await listWithFettle(archive)).length, 70_000)
  const { status } = await extractWithFettle(archive, join(ground.folder, 'out'), 'd699/**')
  assert.equal(status, 0)
  const files = [...thingsIn(join(ground.folder, 'out'))].filter(([, { kind }]) => kind === 'file')
  assert.equal(files.length, 100)
  for (const [path, { content }] of files) assert.equal(content!.toString(), `${/\d+$/.exec(path)![0]}\n`)
})

/** A folder of random bytes, which nothing can make smaller. */
function plantRandom(t: TestContext): { readonly ground: Ground; readonly folder: string; readonly content: Buffer } {
  const ground = new Ground(t)
  const folder = join(ground.folder, 'tree')
  mkdirSync(folder)
  const content = randomBytes(200_000)
  writeFileSync(join(folder, 'random'), content)
  writeFileSync(join(folder, 'text'), 'a text\n')
  return { ground, folder, content }
}

test('of a split archive each part is known to be one [Z3]', async (t) => {
  const { ground, folder } = plantRandom(t)
  makeSplit(folder, join(ground.folder, 'split.zip'))
  assert.ok(statSync(join(ground.folder, 'split.z01')).size > 0)
  for (const part of ['split.zip', 'split.z01', 'split.z02']) {
    const { status, complaints } = await extractWithFettle(join(ground.folder, part), join(ground.folder, 'out'))
    assert.equal(status, 3, part)
    assert.match(complaints.join('\n'), /part|split/, part)
  }
  assert.deepEqual([...thingsIn(join(ground.folder, 'out')).keys()], [])
})

test('an archive that was not copied to its end is known to be one [Z3]', async (t) => {
  const { ground, folder } = plantRandom(t)
  const archive = join(ground.folder, 'whole.zip')
  runProgram('zip', ['-qr', archive, '.'], folder)
  for (const bytes of [1, 21, 22, 100, 1000, 100_000]) {
    const cut = join(ground.folder, 'cut.zip')
    writeFileSync(cut, cutTail(archive, bytes))
    const { status, complaints } = await extractWithFettle(cut, join(ground.folder, 'out'))
    assert.equal(status, 3, `without the last ${bytes} bytes`)
    assert.match(complaints.join('\n'), /cut off|truncated/)
  }
  // On a full disk, a program that reserves its room first leaves zeros at the end.
  const { size } = statSync(archive)
  writeFileSync(archive, cutTail(archive, 5000))
  truncateSync(archive, size)
  assert.equal((await extractWithFettle(archive, join(ground.folder, 'out'))).status, 3)
  assert.deepEqual([...thingsIn(join(ground.folder, 'out')).keys()], [])
})

test('a program that unpacks itself, as 7zz joins them [Z2]', async (t) => {
  const { ground, folder, content } = plantRandom(t)
  const archive = join(ground.folder, 'plain.zip')
  runProgram('7zz', ['a', '-tzip', archive, '.'], folder)
  const program = join(ground.folder, 'program')
  await run(ground, `cat '${find('unzip')}' plain.zip > program`)
  const { status, findings } = await extractWithFettle(program, join(ground.folder, 'out'))
  assert.equal(status, 0)
  assert.deepEqual(
    findings.map(({ code }) => code),
    ['zip.prepended'],
  )
  assert.ok(thingsIn(join(ground.folder, 'out')).get('random')!.content!.equals(content))
})

const countries: Readonly<Record<string, readonly string[]>> = {
  gbk: [
    '中文说明.txt',
    '用户手册/第一章 简介.txt',
    '用户手册/第二章 安装.txt',
    '照片/北京旅游.jpg',
    '项目报告（最终版）.doc',
  ],
  big5: ['說明文件.txt', '使用者手冊/第一章 簡介.txt', '使用者手冊/第二章 安裝.txt', '照片/臺北旅遊.jpg'],
  shift_jis: ['日本語のファイル.txt', '説明書/はじめに.txt', '写真/東京の夜景.jpg', 'テスト結果.xls', '表示.txt'],
  cp1251: ['Отчёт за год.txt', 'Документы/Письмо директору.doc', 'Фотографии/Москва.jpg'],
  cp866: ['Отчёт за год.txt', 'Документы/Письмо директору.doc', 'Фотографии/Москва.jpg'],
  cp437: ['Übersicht.txt', 'Prüfung für Anfänger.txt', 'Straße nach Köln.txt', 'größe.txt'],
}

for (const [encoding, names] of Object.entries(countries)) {
  test(`names in ${encoding}, which nothing says [Z6]`, async (t) => {
    const ground = new Ground(t)
    const archive = join(ground.folder, 'named.zip')
    askPython([{ call: 'named', archive, encoding, names }])
    for (const flags of [[], ['--encoding', encoding]]) {
      const out = join(ground.folder, `out${flags.length}`)
      const { status, findings } = await extractWithFettle(archive, out, ...flags)
      const files = [...thingsIn(out)].filter(([, { kind }]) => kind === 'file')
      assert.deepEqual(
        files.map(([path, { content }]) => [path, `${content}`]).sort(),
        names.map((one) => [one, one]).sort(),
      )
      assert.equal(status, 0)
      // What was said need not be told.
      if (flags.length === 0) assert.ok(findings.some(({ code }) => code === 'zip.name-encoding'))
    }
  })
}

test('names in GBK as bsdtar writes them', async (t) => {
  const ground = new Ground(t)
  const folder = join(ground.folder, 'tree')
  mkdirSync(folder)
  const names = ['中文说明.txt', '用户手册.txt', '项目报告.doc']
  for (const name of names) writeFileSync(join(folder, name), name)
  const archive = join(ground.folder, 'named.zip')
  runProgram('bsdtar', ['-cf', archive, '--format=zip', '--options=hdrcharset=GBK', ...names], folder)
  const { status } = await extractWithFettle(archive, join(ground.folder, 'out'))
  assert.equal(status, 0)
  assert.deepEqual([...thingsIn(join(ground.folder, 'out')).keys()].sort(), names.toSorted())
})

test('a wrong password, and none, leave nothing behind [Z20]', async (t) => {
  const { ground, folder, content } = plantRandom(t)
  const password = join(ground.folder, 'password')
  for (const method of ['AES256', 'ZipCrypto']) {
    const archive = join(ground.folder, `${method}.zip`)
    runProgram('7zz', ['a', '-tzip', `-mem=${method}`, '-pright', archive, '.'], folder)
    const out = join(ground.folder, method)
    const codesOf = async (...flags: string[]) => {
      const { status, findings } = await extractWithFettle(archive, out, ...flags)
      return [status, ...new Set(findings.map(({ code }) => code))]
    }
    assert.deepEqual(await codesOf(), [1, 'zip.encrypted'])
    writeFileSync(password, 'wrong\n')
    assert.deepEqual(await codesOf('--password-from', password), [1, 'zip.password'])
    assert.deepEqual([...thingsIn(out).keys()], [])
    writeFileSync(password, 'right\n')
    assert.deepEqual(await codesOf('--password-from', password), [0])
    assert.ok(thingsIn(out).get('random')!.content!.equals(content))
    assert.equal(await run(ground, fettleLine('cat', archive, 'text', '--password-from', password)), 'a text\n')
  }
})
