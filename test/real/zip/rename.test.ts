/** `--existing rename`: all entries of one name are kept, once each. */
import assert from 'node:assert/strict'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Ground } from '../harness.ts'
import { extractWithFettle, thingsIn } from './extracting.ts'
import { zip } from './writer.ts'

const ground = new Ground({ after: (hook) => after(hook) })

function archiveOf(count: number): string {
  const path = join(ground.folder, `${count}.zip`)
  writeFileSync(path, zip({ entries: Array.from({ length: count }, (_, i) => ({ name: 'a.txt', content: `${i}` })) }))
  return path
}

test('what was put beside once is not put there again', async () => {
  const folder = join(ground.folder, 'few')
  for (const same of [0, 4, 4]) {
    const { status, report } = await extractWithFettle(archiveOf(4), folder, '--existing', 'rename')
    assert.equal(status, 0)
    const measured = report!.measures.find(({ name }) => name === 'same')?.quantity.value ?? 0
    assert.equal(measured, same)
    assert.deepEqual(readdirSync(folder).sort(), ['a (1).txt', 'a (2).txt', 'a (3).txt', 'a.txt'])
  }
})

test('thousands of one name cost no more than thousands of names', async () => {
  const folder = join(ground.folder, 'many')
  const archive = archiveOf(12_000)
  const before = performance.now()
  const { status } = await extractWithFettle(archive, folder, '--existing', 'rename', '--threads', '1')
  assert.equal(status, 0)
  const contents = [...thingsIn(folder).values()].map(({ content }) => Number(content))
  assert.deepEqual(
    contents.sort((one, other) => one - other),
    Array.from({ length: 12_000 }, (_, i) => i),
  )
  // Trying each name before the one that is free would be 72 million tries, and take minutes.
  assert.ok(performance.now() - before < 30_000)
})
