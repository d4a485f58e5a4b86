import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { readSecret, readText } from '../src/text.ts'

const TEXT = new URL('../src/text.ts', import.meta.url).href

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'fettle-text-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

test('all of what a pipe gives is read, however it comes', async (t) => {
  const folder = temporaryFolder(t)
  const pipe = join(folder, 'pipe')
  execFileSync('mkfifo', [pipe])
  const part = 'x'.repeat(100_000)
  const writing = (async () => {
    const end = await open(pipe, 'w')
    for (let i = 0; i < 3; i++) await end.write(part)
    await end.close()
  })()
  const [read] = await Promise.all([readText(pipe), writing])
  assert.equal(read.length, 300_000)
})

test('text is read as UTF-8 or, by its mark, as UTF-16; other bytes are one letter each', async (t) => {
  const folder = temporaryFolder(t)
  const file = join(folder, 'file')
  writeFileSync(file, 'a\u2019')
  assert.deepEqual([await readText(file), (await readText(file, { encoding: 'latin1' })).length], ['a\u2019', 4])
  writeFileSync(file, '\ufeffa\u2019', 'utf16le')
  assert.equal(await readText(file), 'a\u2019')
})

test('standard input may be a socket, as it is below a program that is written for Node', () => {
  const reading = `process.stdout.write(await (await import(${JSON.stringify(TEXT)})).readText('-'))`
  const input = 'x'.repeat(300_000)
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', reading], { input })
  assert.equal(stdout.toString(), input, stderr.toString())
})

test('a secret is the first line; without one, or with too much, it is refused', async (t) => {
  const folder = temporaryFolder(t)
  const file = join(folder, 'file')
  writeFileSync(file, '\ufeff sécret \r\nmore')
  assert.equal(await readSecret(file), ' sécret ')
  for (const [content, reason] of [
    ['', /first line is empty/],
    ['\nsecret', /first line is empty/],
    ['x'.repeat(70_000), /is larger than 65536 bytes/],
  ] as const) {
    writeFileSync(file, content)
    await assert.rejects(readSecret(file), reason)
  }
  await assert.rejects(readSecret(folder), /cannot be read \(EISDIR\)/)
})
