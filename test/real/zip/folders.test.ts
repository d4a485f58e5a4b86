/** Folders that an archive names, in a folder in which something is already. */
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
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
