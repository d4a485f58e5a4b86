import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { writeWhole } from '@fettle/check'
import {
  addServer,
  FolderFault,
  holdFolder,
  isHeld,
  listServers,
  makeFolder,
  readServers,
  removeServer,
} from '../src/folder.ts'
import { makeToken, readToken } from '../src/running.ts'

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'fettle-folder-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

const names = (folder: string) => listServers(folder).map(({ name }) => name)
const fileOf = (folder: string) => join(folder, 'servers.json')

test('processes that add servers at once lose none', async (t) => {
  const folder = folderOf(t)
  const module = new URL('../src/folder.ts', import.meta.url)
  const children = ['a', 'b', 'c', 'd'].map((letter) => {
    const code = `import { addServer, readServers } from ${JSON.stringify(module)}
      readServers(${JSON.stringify(folder)})
      for (let i = 0; i < 8; i++) addServer(${JSON.stringify(folder)}, '${letter}' + i, null)`
    return once(spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'inherit' }), 'exit')
  })
  for (const exit of await Promise.all(children)) assert.deepEqual(exit, [0, null])
  const expected = ['a', 'b', 'c', 'd'].flatMap((letter) => Array.from({ length: 8 }, (_, i) => letter + i))
  assert.deepEqual(names(folder).toSorted(), [...expected, 'turn1'].toSorted())
  assert.equal(new Set(listServers(folder).map(({ token }) => token)).size, 33)
  assert.equal(statSync(fileOf(folder)).mode & 0o777, 0o600)
  assert.deepEqual(readdirSync(folder).toSorted(), ['servers.json', 'servers.lock'])
})

test('at the first start there is one server, or those that were added before', (t) => {
  const first = folderOf(t)
  assert.deepEqual(listServers(first), [])
  assert.deepEqual(
    readServers(first).map(({ name, version }) => [name, version]),
    [['turn1', null]],
  )
  assert.deepEqual(readServers(first), listServers(first))
  const second = folderOf(t)
  addServer(second, 'berlin', '4.6.1')
  assert.deepEqual(
    readServers(second).map(({ name, version }) => [name, version]),
    [['berlin', '4.6.1']],
  )
  assert.match(readServers(second)[0]!.token, /^[A-Za-z0-9_-]{20}$/)
})

test('a server is removed, alone, and the last one too', (t) => {
  const folder = folderOf(t)
  for (const name of ['a', 'b']) addServer(folder, name, null)
  const [, b] = listServers(folder)
  assert.equal(removeServer(folder, 'a'), true)
  assert.deepEqual(listServers(folder), [b])
  assert.equal(removeServer(folder, 'a'), false)
  assert.equal(removeServer(folder, 'b'), true)
  assert.deepEqual(readServers(folder), [])
})

test('what cannot be added is said, and nothing is written', (t) => {
  const folder = folderOf(t)
  addServer(folder, 'a', null)
  const before = readFileSync(fileOf(folder), 'utf8')
  const { mtimeMs, ino } = statSync(fileOf(folder))
  const bad: [string, string | null][] = [
    ['a', null],
    ['', null],
    ['x'.repeat(65), null],
    ['a b', null],
    ['a\u001b', null],
    ['ü', null],
    ['b', 'four'],
    ['b', '4'],
    ['b', '4.6.1\n'],
  ]
  for (const [name, version] of bad) {
    const outcome = addServer(folder, name, version)
    assert('problem' in outcome, JSON.stringify([name, version]))
    assert(!outcome.problem.includes('\n'))
  }
  removeServer(folder, 'b')
  assert.equal(readFileSync(fileOf(folder), 'utf8'), before)
  const after = statSync(fileOf(folder))
  assert.deepEqual([after.mtimeMs, after.ino], [mtimeMs, ino])
  assert('token' in addServer(folder, 'x'.repeat(64), '4.17.1'))
})

test('the list is made its owner’s again, and looking at it changes nothing else', (t) => {
  const folder = folderOf(t)
  readServers(folder)
  chmodSync(fileOf(folder), 0o644)
  readServers(folder)
  assert.equal(statSync(fileOf(folder)).mode & 0o777, 0o600)
  const { ctimeMs } = statSync(fileOf(folder))
  readServers(folder)
  assert.equal(statSync(fileOf(folder)).ctimeMs, ctimeMs, 'a meter watches it')
})

test('a list that is none is a fault in one line, and stays as it is', (t) => {
  const folder = folderOf(t)
  for (const text of ['', '{', '{}', '[{"name":"a"}]', '[{"name":"a","token":"x","version":null,"more":1}]']) {
    writeFileSync(fileOf(folder), text)
    const isFault = (error: unknown) =>
      error instanceof FolderFault && error.message.startsWith(fileOf(folder)) && !error.message.includes('\n')
    assert.throws(() => readServers(folder), isFault)
    assert.throws(() => addServer(folder, 'b', null), isFault)
    assert.equal(readFileSync(fileOf(folder), 'utf8'), text)
  }
})

test('whether a meter holds the folder is seen, and seeing it holds nobody up', (t) => {
  const folder = folderOf(t)
  assert.equal(isHeld(folder), false)
  const release = holdFolder(folder)
  assert.equal(isHeld(folder), true)
  assert.throws(() => holdFolder(folder), /another fettle is running on this folder/)
  release()
  assert.equal(isHeld(folder), false)
  holdFolder(folder)()
})

test('a token is made once, is its owner’s only, and is one that a request can hold', (t) => {
  const folder = folderOf(t)
  const file = join(folder, 'token')
  const made = makeToken(folder)
  assert.match(made, /^[\w-]{32}$/)
  assert.equal(makeToken(folder), made)
  assert.equal(statSync(file).mode & 0o777, 0o600)
  for (const [text, token] of [
    ['one-of-my-own!\n', 'one-of-my-own!'],
    ['\n', ''],
  ] as const) {
    writeFileSync(file, text)
    chmodSync(file, 0o644)
    assert.equal(makeToken(folder), token)
    assert.equal(statSync(file).mode & 0o777, 0o600)
  }
  chmodSync(file, 0o400)
  makeToken(folder)
  assert.equal(statSync(file).mode & 0o777, 0o400)
  chmodSync(file, 0o600)
  for (const text of ['two words', 'größer', 'a\nb', 'x'.repeat(1001)]) {
    writeFileSync(file, text)
    assert.throws(() => makeToken(folder), {
      message: `${file}: a token is at most 1000 letters, digits and signs of ASCII, without a space`,
    })
  }
})

test('a folder is made with all above it, its owner’s alone; where none can be made is a fault at once', (t) => {
  const folder = folderOf(t)
  const deep = join(folder, 'a', 'b')
  makeFolder(deep)
  makeFolder(deep)
  assert.equal(statSync(deep).mode & 0o777, 0o700)
  writeFileSync(join(folder, 'file'), '')
  for (const none of ['/proc/x', '/proc/x/y', join(folder, 'file'), join(folder, 'file', 'x')]) {
    assert.throws(() => makeFolder(none), FolderFault, none)
  }
})

test('what may not be seen is not taken for what is not there', (t) => {
  const folder = folderOf(t)
  for (const name of ['lock', 'servers.json']) symlinkSync(name, join(folder, name))
  assert.throws(() => isHeld(folder), /lock: cannot be looked at \(ELOOP\)$/)
  assert.throws(() => listServers(folder), /servers\.json: cannot be looked at \(ELOOP\)$/)
})

test('a wrong request makes nothing: no folder, no token, no draft of a file', (t) => {
  const folder = folderOf(t)
  const none = join(folder, 'none')
  assert.equal(removeServer(none, 'a'), false)
  assert.throws(() => readToken(none), /token: cannot be read \(ENOENT\)$/)
  assert(!existsSync(none))
  mkdirSync(join(folder, 'taken', 'x'), { recursive: true })
  assert.throws(() => writeWhole(join(folder, 'taken'), 'text'))
  assert.deepEqual(readdirSync(folder), ['taken'])
})

test('a list that cannot be read is not quoted: it holds tokens', (t) => {
  const folder = folderOf(t)
  writeFileSync(fileOf(folder), '[{"name":"a","token":s3cret,"version":null}]')
  assert.throws(() => listServers(folder), /not a list of \{name, token, version\}: it is no JSON$/)
})
