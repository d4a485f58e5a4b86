/** Where the content of entries goes with --output, and what of it is left as it was. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Ground } from '../harness.ts'
import { runZip } from './extracting.ts'
import { zip } from './writer.ts'

const ground = new Ground({ after: (hook) => after(hook) })
const at = (name: string) => join(ground.folder, name)
const content = Buffer.from('content\n')
const archive = at('a.zip')
const bytes = zip({
  entries: [
    { name: 'good', content },
    { name: 'bad', content, central: { crc: 1 } },
  ],
})
writeFileSync(archive, bytes)
const write = (name: string, to: string) => runZip('extract', archive, name, '--output', at(to))

test('a pipe is written into, and stays one', async () => {
  execFileSync('mkfifo', [at('pipe')])
  const reading = readFile(at('pipe'))
  assert.equal((await write('good', 'pipe')).status, 0)
  assert.ok((await reading).equals(content))
  assert.ok(lstatSync(at('pipe')).isFIFO())
})

test('a link stays one, and what it leads to is written', async () => {
  writeFileSync(at('file'), 'before')
  symlinkSync('file', at('link'))
  assert.equal((await write('good', 'link')).status, 0)
  assert.equal(readlinkSync(at('link')), 'file')
  assert.ok(readFileSync(at('file')).equals(content))
})

test('a folder, the archive itself and what is not there are refused in one line', async () => {
  mkdirSync(at('folder'))
  for (const [to, words] of [
    ['folder', /: is a folder; --output names a file/],
    ['a.zip', /: is the archive itself/],
    ['nowhere/file', /: cannot be written \(ENOENT\)/],
  ] as const) {
    const { status, complaints } = await write('good', to)
    assert.equal(status, 3)
    assert.match(complaints.join('|'), words)
  }
  assert.ok(readFileSync(archive).equals(bytes))
})

test('what is not right is not kept, and what was there stays', async () => {
  writeFileSync(at('kept'), 'before')
  const before = readdirSync(ground.folder)
  const { status, complaints } = await write('bad', 'kept')
  assert.equal(status, 1)
  assert.match(complaints[0]!, /^bad: its CRC-32 is/)
  assert.match(complaints[1]!, /kept: was not written/)
  assert.equal(readFileSync(at('kept'), 'utf8'), 'before')
  assert.deepEqual(readdirSync(ground.folder), before)
})
