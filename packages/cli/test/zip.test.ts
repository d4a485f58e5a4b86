import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import { type TestContext, test } from 'node:test'
import type { Command } from '@fettle/check'
import { zipCat, zipCheck, zipExtract, zipList } from '@fettle/zip'
import { archiveOf, type Entry } from './archive.ts'
import { type Run, User } from './terminal.ts'

const SECRET = 'this is the content\n'
const backup: readonly Entry[] = [
  { name: 'Nginx/', mode: 0o040755 },
  { name: 'Nginx/conf/nginx.conf', content: 'worker_processes 4;\n' },
  { name: 'Nginx/html/50x.html ', content: '<h1>\n' },
  { name: 'etc/app.conf', content: SECRET, mode: 0o100640 },
  { name: 'logs/a.log', content: 'error: none\nerror: one\n' },
  { name: `a/very/long/name/${'that/goes/on/'.repeat(8)}and/ends`, content: 'x' },
  { name: 'large.bin', content: Buffer.alloc(1_500_000, 'noise, and more of it') },
]

/** A user with an archive of these entries. */
function userWith(t: TestContext, entries: readonly Entry[]): User {
  const user = new User(t)
  writeFileSync(user.path('backup.zip'), archiveOf(entries))
  return user
}

/** As a shell takes it apart, up to a pipe, with the paths of this user. */
function wordsOf(user: User, example: string): string[] {
  const split = Array.from(example.split(' | ')[0]!.matchAll(/'([^']*)'|(\S+)/g), (match) => match[1] ?? match[2]!)
  const own = new Set(['backup.zip', 'names.txt', 'out'])
  return split.slice(1).map((word) => (own.has(word) ? user.path(word) : word))
}

const codesOf = ({ out }: Run) => (JSON.parse(out).findings as { code: string }[]).map(({ code }) => code)
const contentOf = (user: User, name: string) => readFileSync(user.path(name), 'utf8')

function fits(text: string, user: User): void {
  assert.ok(!text.includes('\u001b'), text)
  for (const line of text.split('\n')) assert.ok(line.length <= 80 || line.includes(user.home), line)
}

// biome-ignore lint/suspicious/noExplicitAny: only what all commands have in common is looked at
const commands: readonly Command<any>[] = [zipList, zipExtract, zipCheck, zipCat]
for (const command of commands) {
  test(`the examples of ${command.name} run, and its help fits the terminal`, async (t) => {
    const user = userWith(t, backup)
    writeFileSync(user.path('names.txt'), 'etc/app.conf\r\nlogs/a.log\r\n')
    const { out: help } = await user.run(...command.name.split(' '), '--help')
    fits(help, user)
    const here = process.cwd()
    process.chdir(user.home)
    t.after(() => process.chdir(here))
    for (const example of command.examples) {
      assert.ok(help.includes(example), example)
      const { status, out, err } = await user.run(...wordsOf(user, example))
      assert.deepEqual([status, err], [0, ''], example)
      assert.ok(out.length > 0, example)
      if (example.includes('--json')) JSON.parse(out)
      else if (command === zipList && !example.includes('--tree')) assert.ok(!out.includes('\u001b'))
      else fits(out, user)
    }
  })
}

test('help of all of zip fits the terminal', async (t) => {
  const user = new User(t)
  fits((await user.run('zip', '--help')).out, user)
})

test('a list is a table, a tree, names that can be given back, or JSON [Z26]', async (t) => {
  const user = userWith(t, [
    { name: 'a/b/c.txt', content: 'x'.repeat(2000) },
    { name: 'a/\u001b[2Jd.txt', content: 'y'.repeat(500) },
    { name: Buffer.from('d3c3bba7cad6b2e12fb5dad2bbd5c22e747874', 'hex'), content: 'z' },
    { name: 'secret', content: 's', isEncrypted: true },
  ])
  const list = (...flags: string[]) => user.run('zip', 'list', user.path('backup.zip'), ...flags)
  const table = await list()
  fits(table.out, user)
  assert.match(table.out, / 2\.00 kB +\d+ B {2}2026-11-03 04:12 {2}a\/b\/c\.txt$/m)
  assert.match(table.out, /\* 2026-11-03 04:12 {2}secret$/m)
  assert.match(table.out, /^note: 1 name does not say its encoding \(gbk, \w+\)$/m)
  assert.match(table.out, /^\* is encrypted$/m)
  assert.match((await list('--tree')).out, /^ +2\.50 kB +2 files {4}a\/\n +2\.00 kB +1 file {6}b\/$/m)
  const { out: names } = await list('a/b', '--names')
  assert.equal(names, 'a/b/c.txt\n')
  writeFileSync(user.path('names.txt'), names)
  assert.equal((await list('--names-from', user.path('names.txt'), '--names')).out, names)
  const { out, status } = await list('--json')
  assert.ok(!out.includes('\u001b'))
  assert.deepEqual(
    [status, JSON.parse(out).list.map(({ name }: { name: string }) => name)],
    [0, ['a/b/c.txt', 'a/\u001b[2Jd.txt', '用户手册/第一章.txt', 'secret']],
  )
})

test('what matches nothing is a wrong request that says what is near it, and writes nothing [Z5]', async (t) => {
  const user = userWith(t, backup)
  const extract = (...words: string[]) =>
    user.run('zip', 'extract', user.path('backup.zip'), ...words, '-d', user.path('out'))
  const { status, out, err } = await extract('nginx/**', 'Nginx/html/50x.html', 'etc/app.conf')
  assert.deepEqual([status, out], [2, ''])
  const lines = err.trimEnd().split('\n')
  assert.equal(lines.length, 2, err)
  assert.match(lines[0]!, /"nginx\/\*\*" matches nothing in .*backup\.zip; near it: "Nginx\//)
  assert.match(lines[1]!, /near it: "Nginx\/html\/50x\.html " has spaces/)
  assert.ok(!existsSync(user.path('out')))
  assert.equal((await extract('none', 'etc/app.conf', '--lenient')).status, 0)
  assert.deepEqual(readdirSync(user.path('out')), ['etc'])
})

test('a plan tells all, and changes nothing [Z10]', async (t) => {
  const user = userWith(t, [...backup, { name: '../evil', content: 'x' }])
  const run = await user.run('zip', 'extract', user.path('backup.zip'), '-d', user.path('out'), '--plan', '--json')
  assert.equal(run.status, 1)
  assert.ok(codesOf(run).includes('zip.unsafe-name'))
  const measures = new Map(
    JSON.parse(run.out).measures.map(({ name, quantity }: { name: string; quantity: { value: number } }) => [
      name,
      quantity.value,
    ]),
  )
  assert.equal(measures.get('planned'), 6)
  assert.ok(!existsSync(user.path('out')))
})

test('what does not fit is not begun [Z10]', async (t) => {
  const user = userWith(t, [...backup, { name: 'huge', content: 'x', claims: 1e15 }])
  const words = ['zip', 'extract', user.path('backup.zip'), '-d', user.path('out'), '--max-ratio', '999999999999999']
  const { status, err } = await user.run(...words)
  assert.equal(status, 3)
  assert.match(err, /out: 1\.00 PB do not fit there, .* are free; select less or give another -d FOLDER/)
  assert.deepEqual(readdirSync(user.path('out')), [])
})

test('run again, what is there is not touched, and the rest is written [Z13]', async (t) => {
  const user = userWith(t, backup)
  const extract = (...flags: string[]) =>
    user.run('zip', 'extract', user.path('backup.zip'), '-d', user.path('out'), ...flags)
  await extract('etc/**')
  const before = statSync(user.path('out/etc/app.conf'), { bigint: true })
  const { status, out } = await extract()
  assert.equal(status, 0)
  assert.match(out, /^were there already +1$/m)
  const after = statSync(user.path('out/etc/app.conf'), { bigint: true })
  assert.deepEqual([after.ino, after.ctimeNs], [before.ino, before.ctimeNs])
  assert.equal(contentOf(user, 'out/logs/a.log'), 'error: none\nerror: one\n')
})

test('what becomes of a file that is there with other content [Z14]', async (t) => {
  const user = userWith(t, backup)
  mkdirSync(user.path('out'))
  const file = user.path('out/app.conf')
  const extract = (...flags: string[]) =>
    user.run('zip', 'extract', user.path('backup.zip'), 'etc/**', '--strip', '1', '-d', user.path('out'), ...flags)
  writeFileSync(file, 'mine')
  const left = await extract('--json')
  assert.deepEqual([left.status, codesOf(left), contentOf(user, 'out/app.conf')], [1, ['zip.exists'], 'mine'])
  assert.equal((await extract('--existing', 'newer')).status, 1, 'mine is newer')
  assert.equal((await extract('--existing', 'rename')).status, 0)
  assert.deepEqual([contentOf(user, 'out/app.conf'), contentOf(user, 'out/app (1).conf')], ['mine', SECRET])
  utimesSync(file, 0, 0)
  assert.equal((await extract('--existing', 'newer')).status, 0)
  assert.equal(contentOf(user, 'out/app.conf'), SECRET)
  writeFileSync(file, 'mine again')
  assert.equal((await extract('--existing', 'overwrite')).status, 0)
  assert.equal(contentOf(user, 'out/app.conf'), SECRET)
})

test('a damaged file leaves nothing behind, and what had its name stays [Z12]', async (t) => {
  const user = userWith(t, [
    { name: 'bad', content: 'new', crc: 1 },
    { name: 'good', content: 'good' },
  ])
  mkdirSync(user.path('out'))
  writeFileSync(user.path('out/bad'), 'old')
  const words = ['zip', 'extract', user.path('backup.zip'), '-d', user.path('out'), '--existing', 'overwrite', '--json']
  const run = await user.run(...words)
  assert.equal(run.status, 1)
  assert.ok(codesOf(run).includes('zip.crc'))
  assert.deepEqual(readdirSync(user.path('out')).sort(), ['bad', 'good'])
  assert.equal(contentOf(user, 'out/bad'), 'old')
})

test('a link that stands where a folder should be is not followed [Z8]', async (t) => {
  const user = userWith(t, [
    { name: 'd/x', content: 'x' },
    { name: 'good', content: 'good' },
  ])
  mkdirSync(user.path('out'))
  mkdirSync(user.path('elsewhere'))
  symlinkSync(user.path('elsewhere'), user.path('out/d'))
  const run = await user.run('zip', 'extract', user.path('backup.zip'), '-d', user.path('out'), '--json')
  assert.deepEqual([run.status, codesOf(run)], [1, ['zip.blocked']])
  assert.deepEqual(readdirSync(user.path('elsewhere')), [])
  assert.equal(contentOf(user, 'out/good'), 'good')
})

test('links, modes and times [Z15, Z16]', async (t) => {
  const user = userWith(t, [
    { name: 'a/inside', content: '../good', mode: 0o120777 },
    { name: 'a/outside', content: '/etc', mode: 0o120777 },
    { name: 'good', content: 'x', mode: 0o104711 },
    { name: 'closed/', mode: 0o040500 },
    { name: 'closed/x', content: 'x' },
  ])
  const run = await user.run('zip', 'extract', user.path('backup.zip'), '-d', user.path('out'), '--json')
  assert.deepEqual([run.status, codesOf(run)], [1, ['zip.symlink-outside', 'zip.special-mode']])
  assert.equal(readlinkSync(user.path('out/a/inside')), '../good')
  for (const [name, expected] of [
    ['good', 0o711],
    ['closed', 0o500],
  ] as const) {
    const { mode, mtime } = lstatSync(user.path(`out/${name}`))
    assert.equal(mode & 0o7777, expected & ~process.umask())
    assert.equal(mtime.getTime(), new Date(2026, 10, 3, 4, 12, 8).getTime())
  }
})

test('stopped, it leaves nothing beside what is whole, and says that it goes on [Z17]', async (t) => {
  // Of several pieces: between them one is heard.
  const noise = randomBytes(40_000)
  const many = Array.from({ length: 600 }, (_, i) => ({ name: `d${i % 50}/${i}`, content: noise }))
  const user = userWith(t, many)
  const words = ['zip', 'extract', user.path('backup.zip'), '-d', user.path('out'), '--threads', '1']
  const running = user.start(...words)
  // For half a second they are in folders without a name.
  const filesIn = (folder: string) =>
    existsSync(folder)
      ? readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile())
      : []
  while (filesIn(user.path('out')).length < 6) await new Promise((resolve) => setImmediate(resolve))
  running.interrupt()
  const { status, out, err } = await running.ended
  assert.equal(status, 3)
  assert.match(out.replaceAll(/\s+/g, ' '), /: \d+ files had not been reached when it ended .* 1 warning\. $/)
  assert.match(err, /stopped; [\d,]+ of 600 files are there, each whole; the same command goes on from there/)
  const names = filesIn(user.path('out'))
  assert.ok(names.length > 0 && names.length < 600)
  for (const { name, parentPath } of names) {
    assert.ok(readFileSync(`${parentPath}/${name}`).equals(noise))
  }
  assert.equal((await user.run(...words)).status, 0)
  assert.equal(filesIn(user.path('out')).length, 600)
})

test('content alone goes to standard output; what is damaged is named, and no file of it is left [Z21]', async (t) => {
  const user = userWith(t, [
    { name: 'a', content: 'first\n' },
    { name: 'b', content: 'second\n', crc: 1 },
  ])
  const archive = user.path('backup.zip')
  assert.deepEqual(await user.run('zip', 'cat', archive, 'a'), { status: 0, out: 'first\n', err: '' })
  const bad = await user.run('zip', 'extract', archive, '-o', '-')
  assert.equal(bad.status, 1)
  assert.ok(bad.out.startsWith('first\n'))
  assert.match(bad.err, /^fettle: b: its CRC-32 is/)
  assert.equal((await user.run('zip', 'extract', archive, '-o', user.path('both'))).status, 1)
  assert.equal((await user.run('zip', 'extract', archive, 'a', '-o', user.path('one'))).status, 0)
  assert.deepEqual(readdirSync(user.home).sort(), ['backup.zip', 'one'])
})

test('check finds what extract would, and writes nothing; the directory alone tells less [Z25]', async (t) => {
  const user = userWith(t, [
    { name: 'bad', content: 'x', crc: 1 },
    { name: '../out', content: 'x' },
    { name: 'good', content: 'x' },
  ])
  const check = await user.run('zip', 'check', user.path('backup.zip'), '--json')
  const extract = await user.run('zip', 'extract', user.path('backup.zip'), '-d', user.path('out'), '--json')
  assert.deepEqual(codesOf(check), codesOf(extract))
  const quick = await user.run('zip', 'check', user.path('backup.zip'), '--quick', '--json')
  assert.deepEqual([quick.status, codesOf(quick)], [1, ['zip.unsafe-name']])
  const { out } = await user.run('zip', 'check', user.path('backup.zip'))
  fits(out, user)
  assert.match(out, /^files that are whole +1$/m)
})

test('a manifest says what became of each [Z27]', async (t) => {
  const user = userWith(t, [...backup, { name: '../evil', content: 'x' }])
  mkdirSync(user.path('out'))
  await user.run('zip', 'extract', user.path('backup.zip'), 'etc/**', '-d', user.path('out'))
  const words = ['zip', 'extract', user.path('backup.zip'), '-d', user.path('out'), '--manifest', user.path('manifest')]
  await user.run(...words)
  const lines = contentOf(user, 'manifest')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  const became = new Map(lines.map((line) => [line.name, line.became]))
  assert.deepEqual(
    ['etc/app.conf', 'logs/a.log', '../evil'].map((name) => became.get(name)),
    ['same', 'written', 'left'],
  )
  assert.deepEqual([lines.length, Object.keys(lines[0])], [backup.length + 1, ['name', 'size', 'crc32', 'became']])
})

test('what cannot be looked at is one line and status 3 [Z3]', async (t) => {
  const user = userWith(t, backup)
  writeFileSync(user.path('page.zip'), '<!DOCTYPE html><title>not found</title>')
  writeFileSync(user.path('cut.zip'), readFileSync(user.path('backup.zip')).subarray(0, 700))
  for (const [file, pattern] of [
    ['page.zip', /is no zip archive but a web page/],
    ['cut.zip', /its end is missing: 700 B of it are there, so it was cut off/],
    ['none.zip', /there is no such file/],
    ['.', /is a folder/],
  ] as const) {
    for (const name of ['list', 'check', 'extract']) {
      const { status, out, err } = await user.run('zip', name, user.path(file))
      assert.deepEqual([status, out, err.split('\n').length], [3, '', 2], `${name} ${file}: ${err}`)
      assert.match(err, pattern)
    }
  }
})

test('what is wanted of an archive over HTTP is fetched, and no secret is shown [Z22, Z24]', async (t) => {
  const noise = randomBytes(300_000)
  const bytes = archiveOf([{ name: 'noise', content: noise }, ...backup, { name: 'more', content: noise }])
  const user = new User(t)
  let sent = 0
  const server = createServer((request, response) => {
    const [, from, to] = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? '') ?? []
    const start = from === '' ? Math.max(0, bytes.length - Number(to)) : Number(from)
    const end = from === '' || to === '' ? bytes.length : Number(to) + 1
    sent += end - start
    response.writeHead(request.headers.authorization === 'Bearer sesame' ? 206 : 401, {
      'content-range': `bytes ${start}-${end - 1}/${bytes.length}`,
      'content-length': end - start,
      etag: '"1"',
    })
    response.end(bytes.subarray(start, end))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const { port } = server.address() as { port: number }
  const url = `http://127.0.0.1:${port}/backup.zip?signature=hidden`
  writeFileSync(user.path('headers'), 'Authorization: Bearer sesame\n')
  const closed = await user.run('zip', 'list', url)
  assert.equal(closed.status, 3)
  assert.match(closed.err, /wants to know who asks \(401\); give it a header with --header-from FILE/)
  sent = 0
  const words = ['zip', 'extract', url, 'etc/**', '-d', user.path('out'), '--header-from', user.path('headers')]
  const run = await user.run(...words)
  assert.equal(run.status, 0, run.err)
  assert.equal(contentOf(user, 'out/etc/app.conf'), SECRET)
  assert.ok(sent < bytes.length / 2, `${sent} of ${bytes.length}`)
  assert.match(run.out, /^in pieces +\d$/m)
  for (const { out, err } of [closed, run]) assert.doesNotMatch(out + err, /hidden|sesame/)
})
