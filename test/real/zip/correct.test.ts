/** Hundreds of archives by all programs in all ways: what comes out is what another program takes out. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Ground } from '../harness.ts'
import { askPython, type Job, type Maker, makers, type PythonCall, unpackWithPeer } from './archives.ts'
import { extractWithFettle, listWithFettle, type Thing, thingsIn } from './extracting.ts'
import { plant, type Tree, treeOf } from './trees.ts'

const UMASK = 0o022
process.umask(UMASK)
// Times in archives are local ones: taken for others, they are five hours and a half off. There is no summer time, in
// which 7zz and unzip would be of two minds.
process.env.TZ = 'Asia/Kolkata'

const TREES = 9
const SEED = Number(process.env.FETTLE_ZIP_SEED ?? 7)

interface Made {
  readonly maker: Maker
  readonly archive: string
}

/** A tree's archives, by all makers; Python's all by one start. */
function makeAll(tree: Tree, folder: string, into: string): Made[] {
  mkdirSync(into)
  const calls: PythonCall[] = []
  const made: Made[] = []
  for (const [i, maker] of makers.entries()) {
    const job: Job = { tree, folder, archive: join(into, `${i}.zip`) }
    if (typeof maker.make === 'function') maker.make(job)
    else calls.push({ ...maker.make, folder, archive: job.archive })
    made.push({ maker, archive: job.archive })
  }
  askPython(calls)
  return made
}

/** What is there of it, to be compared: contents by value, and times to two seconds, as DOS knows them. */
function compare(things: ReadonlyMap<string, Thing>, others: ReadonlyMap<string, Thing>): void {
  assert.deepEqual([...things.keys()].sort(), [...others.keys()].sort())
  for (const [path, thing] of things) {
    const other = others.get(path)!
    assert.deepEqual([thing.kind, thing.target], [other.kind, other.target], path)
    if (thing.kind !== 'file') continue
    assert.ok(thing.content!.equals(other.content!), `what is in ${path}`)
    assert.equal(thing.mode!.toString(8), (other.mode! & 0o777 & ~UMASK).toString(8), `the mode of ${path}`)
    const off = Math.abs(thing.modified! - other.modified!)
    assert.ok(off <= 2, `the time of ${path} is ${off} s off`)
  }
}

/** The peer is right as well. */
function compareToTree(things: ReadonlyMap<string, Thing>, { files }: Tree): void {
  const found = [...things].filter(([, { kind }]) => kind === 'file')
  assert.deepEqual(found.map(([path]) => path).sort(), [...files.keys()].sort())
  for (const [path, { content }] of found) assert.ok(content!.equals(files.get(path)!.content), path)
}

for (let i = 0; i < TREES; i++) {
  const seed = SEED * 1000 + i
  test(`a folder (seed ${seed}) comes out of all of its archives [Z12, Z16]`, async (t) => {
    const ground = new Ground(t)
    const tree = treeOf(seed)
    const folder = join(ground.folder, 'tree')
    plant(tree, folder)
    const made = makeAll(tree, folder, join(ground.folder, 'archives'))
    const [listed] = askPython([{ call: 'listed', archives: made.map(({ archive }) => archive) }])
    for (const [n, { maker, archive }] of made.entries()) {
      await t.test(maker.name, async () => {
        const [out, peers] = [join(ground.folder, `fettle-${n}`), join(ground.folder, `peer-${n}`)]
        unpackWithPeer(maker, archive, peers)
        const expected = thingsIn(peers)
        compareToTree(expected, tree)
        const password = join(ground.folder, 'password')
        if (maker.password !== undefined) writeFileSync(password, `${maker.password}\n`)
        const flags = maker.password === undefined ? [] : ['--password-from', password]
        const { status, findings, complaints } = await extractWithFettle(archive, out, ...flags)
        assert.deepEqual([status, findings.filter(({ severity }) => severity !== 'note'), complaints], [0, [], []])
        compare(thingsIn(out), expected)
        const names = (listed as Record<string, [string, number][]>)[archive]!
        assert.deepEqual(sorted(await listWithFettle(archive)), sorted(names.map(([name, size]) => ({ name, size }))))
      })
    }
  })
}

interface Listed {
  readonly name: string
  readonly size: number
}

const sorted = (list: readonly Listed[]) => list.map(({ name, size }) => `${name.replace(/^\.\//, '')} ${size}`).sort()
