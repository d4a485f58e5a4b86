/** Folders below the one that is extracted into: new ones get their names with what is in them. */
import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Folder } from '../src/extract/folder.ts'
import { isHidden } from '../src/extract/hidden.ts'

/** A folder to extract into, with a stage in it, and one outside that nothing is to reach. */
class Place {
  readonly root: string
  readonly folder: Folder
  readonly failed: [readonly number[], string][] = []

  constructor(t: TestContext, isNew = true) {
    const outer = mkdtempSync(join(tmpdir(), 'fettle-zip-'))
    t.after(() => rmSync(outer, { recursive: true }))
    for (const name of ['in', 'in/stage', 'outside']) mkdirSync(join(outer, name))
    this.root = join(outer, 'in')
    this.folder = new Folder(this.root, isNew, join(this.root, 'stage'))
    t.after(() => this.folder.close())
  }

  at(path: string): string {
    return join(this.root, path)
  }

  /** As an extraction does: right into a folder that nobody sees. Whether it was such a one. */
  write(entry: number, path: string): boolean {
    const segments = path.split('/')
    const { path: folder, hidden } = this.folder.open(segments, segments.length - 1)
    writeFileSync(`${folder}/${segments.at(-1)}`, path, { flag: 'wx' })
    if (isHidden(hidden)) hidden.entries.push(entry)
    return isHidden(hidden)
  }

  /** Somebody else writes it. */
  others(path: string): void {
    mkdirSync(dirname(this.at(path)), { recursive: true })
    writeFileSync(this.at(path), 'of others')
  }

  giveNames(): void {
    this.folder.giveNames((entries, error) => this.failed.push([[...entries], (error as NodeJS.ErrnoException).code!]))
  }

  /** Each file in it, without those in the stage. */
  files(): string[] {
    const all = readdirSync(this.root, { recursive: true, withFileTypes: true })
    const files = all.filter((thing) => thing.isFile()).map(({ parentPath, name }) => join(parentPath, name))
    return files
      .map((path) => path.slice(this.root.length + 1))
      .filter((path) => !path.startsWith('stage'))
      .sort()
  }

  assertWhole(...paths: readonly string[]): void {
    for (const path of paths) assert.equal(readFileSync(this.at(path), 'utf8'), path)
  }
}

test('a new folder has no name until it is given one, with all that is in it [Z12]', (t) => {
  const place = new Place(t)
  assert.equal(place.write(0, 'top'), false)
  for (const [i, path] of ['a/1', 'a/b/2', 'c/d/e/3'].entries()) assert.ok(place.write(i, path), path)
  assert.deepEqual(place.files(), ['top'])
  place.giveNames()
  assert.deepEqual(place.files(), ['a/1', 'a/b/2', 'c/d/e/3', 'top'])
  assert.deepEqual(readdirSync(place.at('stage')), [])
  // From now on others may see it, but not what is new in it.
  assert.equal(place.write(3, 'a/4'), false)
  assert.equal(place.write(4, 'a/b/5'), false)
  assert.ok(place.write(5, 'a/f/6'))
  assert.ok(!existsSync(place.at('a/f')))
  place.giveNames()
  place.assertWhole('a/1', 'a/b/2', 'c/d/e/3', 'a/4', 'a/b/5', 'a/f/6')
  assert.deepEqual(place.failed, [])
})

test('more of them than are held open', (t) => {
  const place = new Place(t)
  const paths = Array.from({ length: 500 }, (_, i) => `a${i % 250}/b/${i}`)
  for (const [i, path] of paths.entries()) assert.ok(place.write(i, path))
  place.giveNames()
  assert.deepEqual(place.files(), paths.sort())
})

test('where somebody else makes the same folder meanwhile, all is in that one', (t) => {
  const place = new Place(t)
  for (const [i, path] of ['a/1', 'a/b/2', 'a/b/c/3', 'd/4'].entries()) place.write(i, path)
  place.others('a/b/theirs')
  mkdirSync(place.at('d'))
  place.giveNames()
  assert.deepEqual(place.files(), ['a/1', 'a/b/2', 'a/b/c/3', 'a/b/theirs', 'd/4'])
  assert.deepEqual(readdirSync(place.at('stage')), [])
  for (const [i, path] of ['a/5', 'a/b/6', 'a/b/c/7', 'd/8'].entries()) place.write(i, path)
  place.giveNames()
  place.assertWhole('a/1', 'a/b/2', 'a/b/c/3', 'd/4', 'a/5', 'a/b/6', 'a/b/c/7', 'd/8')
  assert.deepEqual(place.failed, [])
})

test('a link or a file in its place: what was in it is told, and is nowhere [Z8]', (t) => {
  const place = new Place(t)
  for (const [i, path] of ['a/0', 'a/b/1', 'c/2', 'd/e/3', 'f/4'].entries()) place.write(i, path)
  symlinkSync('../outside', place.at('a'))
  place.others('c')
  mkdirSync(place.at('d'))
  writeFileSync(place.at('d/theirs'), '')
  symlinkSync('../../outside', place.at('d/e'))
  place.giveNames()
  assert.deepEqual(place.failed, [
    [[0, 1], 'ENOTDIR'],
    [[2], 'ENOTDIR'],
    [[3], 'ENOTDIR'],
  ])
  assert.deepEqual(place.files(), ['c', 'd/theirs', 'f/4'])
  assert.deepEqual(readdirSync(place.at('../outside')), [])
  assert.throws(() => place.write(5, 'a/5'), /is no folder/)
})

test('in a folder of others a new one is theirs to arrange, and is made there at once', (t) => {
  const place = new Place(t, false)
  mkdirSync(place.at('theirs'))
  assert.equal(place.write(0, 'theirs/new/0'), false)
  assert.ok(place.write(1, 'ours/new/1'))
  assert.deepEqual(place.files(), ['theirs/new/0'])
  place.giveNames()
  place.assertWhole('theirs/new/0', 'ours/new/1')
})
