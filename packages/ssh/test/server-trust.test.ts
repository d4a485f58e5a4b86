/** What others than root could have put there is not believed, not run, and not waited for. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { readStart } from '../src/core/server/start-words.ts'
import { isKeptByRoot, isOfRoot, isRootsAlone, isSharedByRoot } from '../src/core/server/trust.ts'
import { alone } from '../src/server/lock.ts'
import { isAllTheWay, readFileOfOthers } from '../src/server/trust.ts'

test('[S32] whose a file or a folder is, and who may write there', () => {
  const told = (uid: number, mode: number) =>
    [isRootsAlone, isKeptByRoot, isSharedByRoot].map((isFine) => isFine({ uid, mode }))
  assert.deepEqual(told(0, 0o40755), [true, true, true])
  assert.deepEqual(told(1000, 0o40755), [false, false, false])
  assert.deepEqual(told(0, 0o40775), [false, false, false])
  assert.deepEqual(told(0, 0o41775), [false, true, true])
  assert.deepEqual(told(0, 0o41777), [false, false, true])
  assert.deepEqual(told(1000, 0o41777), [false, false, false])
})

test('[S20] only a process that is root in each way is one of root', () => {
  assert.equal(isOfRoot('Name:\tsshd\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n'), true)
  assert.equal(isOfRoot('Name:\tsshd\nUid:\t1000\t0\t0\t0\n'), false)
  assert.equal(isOfRoot(''), false)
})

test('[S20, S32] what sshd was started with, written in one word or in two', () => {
  assert.deepEqual(readStart(['-D', '-f', '/a', '-o', 'UseDNS=no']), { config: '/a', given: ['usedns'] })
  assert.deepEqual(readStart(['-Def/a', '-oUseDNS', 'no', '-p', '-f']), { config: '/a', given: ['usedns'] })
  assert.deepEqual(readStart(['-D', '-4', '-o']), { config: undefined, given: [''] })
})

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'fettle-trust-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

test('[S24, S32] each folder above it counts, and where a link leads to', (t) => {
  const folder = folderOf(t)
  mkdirSync(join(folder, 'open'))
  chmodSync(join(folder, 'open'), 0o777)
  writeFileSync(join(folder, 'open/file'), '')
  mkdirSync(join(folder, 'closed'), { mode: 0o755 })
  symlinkSync('../open/file', join(folder, 'closed/link'))
  const isClosed = (path: string) => isAllTheWay(join(folder, path), ({ mode }) => (mode & 0o1002) !== 2)
  assert.deepEqual(['closed', 'open', 'open/file', 'closed/link', 'none'].map(isClosed), [
    ...[true, false, false, false, false],
  ])
})

test('[S29] a pipe, a device or a file without an end in place of a file of keys is not waited for', (t) => {
  const folder = folderOf(t)
  execFileSync('mkfifo', [join(folder, 'pipe')])
  symlinkSync('/dev/zero', join(folder, 'zero'))
  writeFileSync(join(folder, 'long'), 'x'.repeat(11))
  writeFileSync(join(folder, 'file'), 'x'.repeat(10))
  assert.equal(readFileOfOthers(join(folder, 'long'), 10), undefined)
  assert.equal(readFileOfOthers(join(folder, 'file'), 10)?.toString(), 'x'.repeat(10))
  const module = new URL('../src/server/sshd.ts', import.meta.url).href
  const script = `import { onDisk } from ${JSON.stringify(module)}
    console.log(process.argv.slice(1).map((file) => onDisk.text(file) ?? 'none').join())`
  const paths = ['pipe', 'zero', 'file'].map((name) => join(folder, name))
  const words = ['--input-type=module', '-e', script, ...paths]
  const { stdout, error } = spawnSync(process.execPath, words, { timeout: 20_000, killSignal: 'SIGKILL' })
  assert.deepEqual([error, stdout.toString()], [undefined, `none,none,${'x'.repeat(10)}\n`])
})

test('[S32] two changes at once: the second is told so, and one that was killed holds up nobody', async (t) => {
  const file = join(folderOf(t), 'lock')
  await alone(async () => {
    await assert.rejects(
      alone(async () => 1, file),
      /another fettle ssh change is at work/,
    )
  }, file)
  assert.equal(existsSync(file), false)
  writeFileSync(file, `${process.pid} 1\n`)
  assert.equal(await alone(async () => 2, file), 2)
})
