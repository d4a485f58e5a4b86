/** Folders that an archive names, in a folder in which something is already. */
import assert from 'node:assert/strict'
import { chmodSync, chownSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Ground } from '../harness.ts'
import { extractWithFettle } from './extracting.ts'
import { zip } from './writer.ts'

const PRIVATE = 0o040700

test('folders that were made are as the archive says, those that were there as they were [Z16]', async (t) => {
  const ground = new Ground(t)
  const archive = join(ground.folder, 'a.zip')
  const names = ['there/', 'there/new/', 'made/', 'made/within/']
  const entries = names.flatMap((name) => [
    { name, mode: PRIVATE },
    { name: `${name}file`, content: 'a' },
  ])
  writeFileSync(archive, zip({ entries }))
  for (const threads of ['1', '2']) {
    const out = join(ground.folder, `out${threads}`)
    mkdirSync(join(out, 'there'), { recursive: true })
    chmodSync(join(out, 'there'), 0o755)
    await extractWithFettle(archive, out, '--threads', threads)
    const modeOf = (name: string) => statSync(join(out, name)).mode & 0o777
    assert.deepEqual(names.map(modeOf), [0o755, 0o700, 0o700, 0o700])
  }
})

test('what is written in a folder that passes its group on has that group [Z16]', async (t) => {
  const ground = new Ground(t)
  const archive = join(ground.folder, 'a.zip')
  const names = ['team/new/', 'team/file', 'team/new/file', 'alone/file', 'file']
  const entries = names.map((name) => (name.endsWith('/') ? { name, mode: PRIVATE } : { name, content: 'a' }))
  writeFileSync(archive, zip({ entries }))
  const [team, whole] = [4321, 1234]
  const passOn = (folder: string, group: number) => {
    mkdirSync(folder, { recursive: true })
    chownSync(folder, -1, group)
    chmodSync(folder, 0o2775)
  }
  for (const root of [0, whole]) {
    for (const threads of ['1', '2']) {
      const out = join(ground.folder, `out${root}-${threads}`)
      if (root !== 0) passOn(out, root)
      passOn(join(out, 'team'), team)
      await extractWithFettle(archive, out, '--threads', threads)
      assert.deepEqual(
        names.map((name) => statSync(join(out, name)).gid),
        [team, team, team, root, root],
      )
      assert.equal(statSync(join(out, 'team/new')).mode & 0o7777, 0o2700)
    }
  }
})
