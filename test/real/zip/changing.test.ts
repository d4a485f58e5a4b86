/** An archive that becomes shorter while threads unpack it: one line, and each file whole. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fettle } from '../fettle.ts'
import { exitOf, Ground, until } from '../harness.ts'
import { thingsIn } from './extracting.ts'
import { zip } from './writer.ts'

const FILES = 20_000

test('an archive that is cut while it is read is told in one line, whichever thread meets it', async (t) => {
  const ground = new Ground(t)
  const content = randomBytes(2000)
  const bytes = zip({ entries: Array.from({ length: FILES }, (_, i) => ({ name: `d${i % 50}/f${i}`, content })) })
  const archive = join(ground.folder, 'a.zip')
  for (const threads of ['1', '2', '3']) {
    writeFileSync(archive, bytes)
    const folder = join(ground.folder, `out${threads}`)
    const running = fettle(ground, 'zip', 'extract', archive, '-d', folder, '--threads', threads)
    // The shelf of a thread is there when it begins to write.
    const hasBegun = () =>
      existsSync(folder) && readdirSync(folder, { recursive: true }).some((name) => `${name}`.endsWith('/0'))
    await until('a thread that writes', () => hasBegun() || running.status !== undefined)
    truncateSync(archive, 1_000_000)
    assert.equal(await exitOf(running, 60), 3, running.complaints)
    assert.match(running.complaints, /^fettle: \S+ has become shorter while it was read; .* each whole; .*\n$/)
    const files = [...thingsIn(folder).values()].filter(({ kind }) => kind === 'file')
    assert.ok(files.length < FILES)
    for (const file of files) assert.ok(file.content!.equals(content))
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith('.')),
      [],
    )
  }
})
