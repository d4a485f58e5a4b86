import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readPasted } from '../src/pasted.ts'

test('all of what a pipe gives is read, however it comes', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'fettle-pasted-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const pipe = join(folder, 'pipe')
  execFileSync('mkfifo', [pipe])
  const part = 'x'.repeat(100_000)
  const writing = (async () => {
    const end = await open(pipe, 'w')
    for (let i = 0; i < 3; i++) await end.write(part)
    await end.close()
  })()
  const [read] = await Promise.all([readPasted(pipe, 'latin1'), writing])
  assert.equal(read.length, 300_000)
})

test('text is read as UTF-8 or, by its mark, as UTF-16; other bytes are one letter each', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'fettle-pasted-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'file')
  writeFileSync(file, 'a\u2019')
  assert.deepEqual([await readPasted(file, 'utf8'), (await readPasted(file, 'latin1')).length], ['a\u2019', 4])
  writeFileSync(file, '\ufeffa\u2019', 'utf16le')
  assert.equal(await readPasted(file, 'utf8'), '\ufeffa\u2019')
})
