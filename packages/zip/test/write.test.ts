/** Files that are written: whole or not there, and in new folders that get their names with what is in them. */
import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { crc32 } from 'node:zlib'
import type { Existing, Job, Output } from '../src/extract/job.ts'
import { Writer } from '../src/extract/write.ts'
import { directoryOf } from './records.ts'

interface Options {
  readonly existing?: Existing
  readonly isNew?: boolean
}

/** A folder to extract into, with a stage in it, and one outside that nothing is to reach. Each file holds its path. */
class Place {
  readonly root: string
  readonly paths: readonly string[]
  readonly writer: Writer
  /** What was not simply put where it should be, and what became of it. */
  readonly told: Record<string, string> = {}
  #isClosed = false

  constructor(t: TestContext, paths: readonly string[], { existing = 'skip', isNew = true }: Options = {}) {
    const outer = mkdtempSync(join(tmpdir(), 'fettle-zip-'))
    t.after(() => rmSync(outer, { recursive: true }))
    for (const name of ['in', 'in/stage', 'outside']) mkdirSync(join(outer, name))
    this.root = join(outer, 'in')
    this.paths = paths
    const entries = paths.map((name) => ({ name, size: name.length, crc: crc32(name), time: 0x21 << 16 }))
    const output: Output = { folder: this.root, isNew, stage: join(this.root, 'stage'), hidesNew: true }
    // Of a job a writer asks for no more.
    const job = { columns: directoryOf(entries).columns, strip: 0, existing, output } as unknown as Job
    this.writer = new Writer(job, output, String, 0)
    t.after(() => this.close())
  }

  close(): void {
    if (!this.#isClosed) this.writer.close()
    this.#isClosed = true
  }

  at(path: string): string {
    return join(this.root, path)
  }

  write(...paths: readonly string[]): void {
    for (const path of paths.length === 0 ? this.paths : paths) {
      this.writer.write(this.paths.indexOf(path), Buffer.from(path))
    }
  }

  /** Somebody else writes it. */
  others(path: string, content = 'of others'): void {
    mkdirSync(dirname(this.at(path)), { recursive: true })
    writeFileSync(this.at(path), content)
  }

  giveNames(): void {
    this.writer.giveNames((entry, place) => {
      const path = this.paths[entry]!
      try {
        this.told[path] = place() ?? 'put'
      } catch (error) {
        this.told[path] = (error as Error).message
      }
    })
  }

  /** Each file in it, without those in the stage. */
  files(): string[] {
    const all = readdirSync(this.root, { recursive: true, withFileTypes: true })
    const files = all.filter((thing) => thing.isFile()).map(({ parentPath, name }) => join(parentPath, name))
    const named = files.map((path) => path.slice(this.root.length + 1)).filter((path) => !path.startsWith('stage'))
    return named.sort()
  }

  assertWhole(...paths: readonly string[]): void {
    for (const path of paths) assert.equal(readFileSync(this.at(path), 'utf8'), path)
  }
}

test('a new folder has no name until it is given one, with all that is in it [Z12]', (t) => {
  const place = new Place(t, ['top', 'a/1', 'a/b/2', 'c/d/e/3', 'a/4', 'a/b/5', 'a/f/6'])
  place.write(...place.paths.slice(0, 4))
  assert.deepEqual(place.files(), ['top'])
  place.giveNames()
  assert.deepEqual(place.files(), ['a/1', 'a/b/2', 'c/d/e/3', 'top'])
  assert.deepEqual(readdirSync(place.at('stage/0')), [])
  // From now on others may see it, but not what is new in it.
  place.write('a/4', 'a/b/5', 'a/f/6')
  assert.deepEqual([place.files().includes('a/4'), existsSync(place.at('a/f'))], [true, false])
  place.giveNames()
  place.assertWhole(...place.paths)
  assert.deepEqual(place.told, {})
})

/** The folder in which this process is. */
const here = () => readlinkSync('/proc/self/cwd')

test('it writes from its part of the stage, wherever that is taken, and goes back to where it was [Z8, Z12]', (t) => {
  const start = process.cwd()
  const before = mkdtempSync(join(tmpdir(), 'fettle-zip-'))
  t.after(() => process.chdir(start))
  process.chdir(before)
  const place = new Place(t, ['top', 'a/1', 'a/b/2', 'a/b/3'])
  assert.equal(here(), place.at('stage/0'))
  place.write('top', 'a/1', 'a/b/2')
  // Somebody takes the whole away, and puts a link there; and the folder in which it was started is gone.
  const away = join(dirname(place.root), 'away')
  const outside = join(dirname(place.root), 'outside')
  renameSync(place.root, away)
  symlinkSync(outside, place.root)
  rmdirSync(before)
  place.write('a/b/3')
  place.giveNames()
  place.close()
  assert.equal(here(), `${before} (deleted)`)
  assert.deepEqual(place.told, {})
  assert.deepEqual(readdirSync(outside), [])
  for (const path of place.paths) assert.equal(readFileSync(join(away, path), 'utf8'), path)
})

test('a name as long as any may be, in a new folder', (t) => {
  const start = process.cwd()
  t.after(() => process.chdir(start))
  const segments = Array.from({ length: 16 }, () => 'b'.repeat(254))
  const path = `a/${segments.join('/')}/${'c'.repeat(12)}`
  assert.equal(path.length, 4094)
  const place = new Place(t, [path, `${path}d`])
  place.write()
  place.giveNames()
  place.close()
  process.chdir(place.root)
  for (const one of place.paths) assert.equal(readFileSync(one, 'utf8'), one)
  assert.deepEqual(place.told, {})
})

test('more of them than are held open', (t) => {
  const place = new Place(
    t,
    Array.from({ length: 500 }, (_, i) => `a${i % 250}/b/${i}`),
  )
  place.write()
  assert.deepEqual(place.files(), [])
  place.giveNames()
  assert.deepEqual(place.files(), [...place.paths].sort())
})

for (const existing of ['skip', 'newer', 'overwrite'] as const) {
  test(`where somebody else makes the same folder meanwhile, each file is as one that was there: ${existing} [Z14]`, (t) => {
    const place = new Place(t, ['a/1', 'a/same', 'a/b/2', 'a/b/c/3', 'd/4', 'a/5'], { existing })
    place.write('a/1', 'a/same', 'a/b/2', 'a/b/c/3', 'd/4')
    place.others('a/1')
    place.others('a/same', 'a/same')
    place.others('a/b/theirs')
    mkdirSync(place.at('d'), { recursive: true })
    const inode = statSync(place.at('d')).ino
    place.giveNames()
    place.write('a/5')
    place.giveNames()
    const [what, content] = existing === 'overwrite' ? ['put', 'a/1'] : ['exists', 'of others']
    place.assertWhole('a/same', 'a/b/2', 'a/b/c/3', 'd/4', 'a/5')
    assert.equal(readFileSync(place.at('a/1'), 'utf8'), content)
    assert.equal(readFileSync(place.at('a/b/theirs'), 'utf8'), 'of others')
    assert.equal(statSync(place.at('d')).ino, inode, 'an empty folder of others stays')
    assert.deepEqual(place.told, { 'a/1': what, 'a/same': 'same', 'a/b/2': 'put', 'a/b/c/3': 'put', 'd/4': 'put' })
  })
}

test('a link or a file in its place: what cannot be there is told, all else is put [Z8]', (t) => {
  const place = new Place(t, ['a/0', 'a/b/1', 'c/2', 'd/e/3', 'd/4', 'f/5', 'g/6'])
  place.write(...place.paths.slice(0, -1))
  symlinkSync('../outside', place.at('a'))
  place.others('c')
  mkdirSync(place.at('d'))
  symlinkSync('../../outside', place.at('d/e'))
  mkdirSync(place.at('f/5'), { recursive: true })
  place.giveNames()
  assert.deepEqual(place.told, {
    'a/0': 'a is no folder',
    'a/b/1': 'a is no folder',
    'c/2': 'c is no folder',
    'd/e/3': 'd/e is no folder',
    'd/4': 'put',
    'f/5': 'a folder has its name',
  })
  assert.deepEqual(place.files(), ['c', 'd/4'])
  assert.deepEqual(readdirSync(place.at('../outside')), [])
})

test('in a folder of others a new one is theirs to arrange, and is made there at once', (t) => {
  const place = new Place(t, ['theirs/new/0', 'ours/new/1'], { isNew: false })
  mkdirSync(place.at('theirs'))
  place.write()
  assert.deepEqual(place.files(), ['theirs/new/0'])
  place.giveNames()
  place.assertWhole('theirs/new/0', 'ours/new/1')
})

test('where the folder is gone that a new one is to be in, each file in it is told', (t) => {
  const place = new Place(t, ['a/0', 'a/b/1', 'a/b/c/2', 'a/d/3'])
  place.write('a/0')
  place.giveNames()
  place.write('a/b/1', 'a/b/c/2')
  rmSync(place.at('a'), { recursive: true })
  place.giveNames()
  const [first, second] = [place.told['a/b/1'], place.told['a/b/c/2']]
  assert.match(`${first} ${second}`, /^ENOENT.* ENOENT/)
})
