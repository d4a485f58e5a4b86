/** Symbolic links by the hundred. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Ground } from '../harness.ts'
import { extractWithFettle, thingsIn } from './extracting.ts'
import { LINK, zip } from './writer.ts'

const LINKS = 500

test('links that lie together are read together; what one of them lies about costs the others nothing', async (t) => {
  const ground = new Ground(t)
  const archive = join(ground.folder, 'a.zip')
  const links = Array.from({ length: LINKS }, (_, i) => ({ name: `l${i}`, content: `f${i}`, mode: LINK }))
  const odd = [
    { name: 'far', content: 'x', mode: LINK, central: { offset: 0xfffffff0 } },
    { name: 'long', content: 'x'.repeat(5000), mode: LINK },
  ]
  writeFileSync(archive, zip({ entries: [...links, ...odd] }))
  const folder = join(ground.folder, 'out')
  const { status, report, findings } = await extractWithFettle(archive, folder)
  assert.equal(status, 1)
  assert.deepEqual(findings.map(({ code }) => code).sort(), ['zip.outside', 'zip.symlink-outside'])
  const things = thingsIn(folder)
  assert.equal(things.size, LINKS)
  for (let i = 0; i < LINKS; i++) assert.equal(things.get(`l${i}`)!.target, `f${i}`)
  assert.ok(report!.measures.find(({ name }) => name === 'requests')!.quantity.value < 20)
})
