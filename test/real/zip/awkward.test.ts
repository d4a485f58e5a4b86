/** Files that are named on the command line and are not what one would hope for. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Ground } from '../harness.ts'
import { runZip } from './extracting.ts'
import { zip } from './writer.ts'

const ground = new Ground({ after: (hook) => after(hook) })
const at = (name: string) => join(ground.folder, name)
const bytes = zip({ entries: [{ name: 'a\u009b31m\u202e', content: 'a' }] })
writeFileSync(at('a.zip'), bytes)
writeFileSync(
  at('locked.zip'),
  zip({ entries: [{ name: 'a', content: 'a', local: { flags: 1 }, central: { flags: 1 } }] }),
)
const extract = (archive: string, ...more: string[]) => runZip('extract', at(archive), '-d', at('out'), ...more)

test('a password that is not there, or never ends, is told at once', async () => {
  writeFileSync(at('empty'), '\r\nsecret\n')
  for (const [file, words] of [
    [at('empty'), /: its first line is empty/],
    ['/dev/zero', /: is larger than 65536 bytes/],
    [ground.folder, /: cannot be read \(EISDIR\)/],
  ] as const) {
    const { status, complaints } = await extract('locked.zip', '--password-from', file)
    assert.equal(status, 3)
    assert.match(complaints.join('|'), words)
    assert.doesNotMatch(complaints.join('|'), /secret/)
  }
})

test('a manifest that cannot be written, or is the archive, is told before anything is extracted', async () => {
  for (const manifest of ['a.zip', 'nowhere/manifest']) {
    const { status, complaints } = await extract('a.zip', '--manifest', at(manifest))
    assert.equal(status, 3)
    assert.match(complaints.join('|'), /manifest/)
    assert.ok(!existsSync(at('out/a\u009b31m\u202e')))
  }
  assert.ok(readFileSync(at('a.zip')).equals(bytes))
})

test('a manifest steers no terminal, and holds the names', async () => {
  await extract('a.zip', '--manifest', at('manifest'))
  const text = readFileSync(at('manifest'), 'utf8')
  assert.match(text, /^[ -~]+\n$/)
  assert.equal((JSON.parse(text) as { name: string }).name, 'a\u009b31m\u202e')
})

test('a folder that is a file is told as such', async () => {
  writeFileSync(at('file'), '')
  const { status, complaints } = await runZip('extract', at('a.zip'), '-d', at('file'))
  assert.equal(status, 3)
  assert.match(complaints.join('|'), /file: is no folder/)
})

test('a pattern that is to leave out something and does not is told', async () => {
  for (const [more, words] of [
    [['-x', 'b*'], '--exclude b*: there is nothing to leave out by that'],
    [['-x', 'a*'], ''],
    [['-x', 'b*', '--lenient'], ''],
  ] as const) {
    const { status, complaints } = await runZip('list', at('a.zip'), '--names', ...more)
    assert.deepEqual([status, complaints.filter((line) => line.includes('--exclude')).join()], [0, words])
  }
})

test('a day that there is not is no date', async () => {
  for (const date of ['2026-02-30', '2026-13-01', '2026-01-00', '2026-01-01T25:00']) {
    const { status, complaints } = await runZip('list', at('a.zip'), '--newer', date)
    assert.deepEqual([status, complaints.length], [2, 1], date)
    assert.match(complaints[0]!, /is no date/)
  }
  assert.equal((await runZip('list', at('a.zip'), '--newer', '2024-02-29')).status, 0)
})
