/** A few files out of a large archive behind a real nginx: what is fetched for them, and what comes of a bad link. */
import assert from 'node:assert/strict'
import { renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { FOLDER, IN_FOLDER, writeLarge } from '../../../benchmarks/zip-archives.ts'
import { fettle } from '../fettle.ts'
import { exitOf, Ground, type Running, until } from '../harness.ts'
import { extractWithFettle, runZip, thingsIn } from './extracting.ts'
import { openPath, startNginx } from './nginx.ts'
import { zip } from './writer.ts'

const ENTRIES = 40_000
const MEAN = 30_000

const ground = new Ground({ after: (hook) => after(hook) })
const small = zip({ entries: [{ name: 'a', content: 'a' }] })
const nginx = await startNginx(ground, small)
const large = join(nginx.folder, 'www/large.zip')
writeLarge(large, ENTRIES, MEAN)
const url = nginx.url('/large.zip').href
const folderOf = (name: string) => join(ground.folder, name)
const whole = folderOf('whole')
assert.equal((await extractWithFettle(large, whole, `${FOLDER}/**`)).status, 0)
const expected = thingsIn(whole)

function measured(report: Awaited<ReturnType<typeof extractWithFettle>>['report'], name: string): number {
  return report!.measures.find((one) => one.name === name)?.quantity.value ?? 0
}

async function wanted(): Promise<{ packed: number; directory: number }> {
  const { output } = await runZip('list', large, `${FOLDER}/**`, '--json')
  const { list } = JSON.parse(output) as { list: { packed: number }[] }
  const { report } = await extractWithFettle(large, folderOf('unused'), '--plan')
  const packed = list.reduce((sum, one) => sum + one.packed, 0)
  return { packed, directory: measured(report, 'read') }
}

test('two thousand files cost little more than their bytes and the directory', async (t) => {
  const { packed, directory } = await wanted()
  await nginx.asked()
  const folder = folderOf('remote')
  const { status, report } = await extractWithFettle(url, folder, `${FOLDER}/**`)
  assert.equal(status, 0)
  assert.deepEqual(thingsIn(folder), expected)
  assert.equal(expected.size > IN_FOLDER, true)
  const asked = await nginx.asked()
  const [read, requests] = [measured(report, 'read'), measured(report, 'requests')]
  const share = (read / (packed + directory)).toFixed(2)
  t.diagnostic(
    `${statSync(large).size} bytes; ${packed} + ${directory} wanted, ${read} read: ${share}; ${requests} asked`,
  )
  assert.ok(read <= 1.2 * (packed + directory), share)
  assert.equal(requests, asked.length)
  for (const line of asked) assert.match(line, /^206 /)

  // Of what is there nothing is fetched again.
  const again = await extractWithFettle(url, folder, `${FOLDER}/**`)
  assert.equal(again.status, 0)
  assert.equal(measured(again.report, 'same'), IN_FOLDER)
  assert.ok(measured(again.report, 'read') <= directory + 70_000)
})

test('list and cat ask for what they show', async () => {
  const name = `${FOLDER}/site7/file7.conf`
  const { status, output } = await runZip('cat', url, name)
  assert.equal(status, 0)
  assert.equal(output, expected.get(name)!.content!.toString())
  const listed = await runZip('list', url, name, '--names')
  assert.equal(listed.output, `${name}\n`)
})

test('a server without ranges is refused, and obeyed with --download', async () => {
  const none = nginx.url('/none/large.zip').href
  const refused = await extractWithFettle(none, folderOf('none'), `${FOLDER}/**`)
  assert.equal(refused.status, 3)
  assert.match(refused.complaints.join('|'), /--download/)
  const { status } = await extractWithFettle(none, folderOf('none'), `${FOLDER}/**`, '--download')
  assert.equal(status, 0)
  assert.deepEqual(thingsIn(folderOf('none')), expected)
})

test('connections that are cut cost no file', async () => {
  const path = await openPath(ground.address(4), nginx.host, [9_000_000, 300_000, 0, 1_000_000, 50_000])
  try {
    const cut = `http://${ground.address(4)}:${path.port}/large.zip`
    const { status } = await extractWithFettle(cut, folderOf('cut'), `${FOLDER}/**`)
    assert.equal(status, 0)
    assert.deepEqual(thingsIn(folderOf('cut')), expected)
  } finally {
    await path.close()
  }
})

const isBegun = (folder: string) => statSync(join(folder, FOLDER), { throwIfNoEntry: false }) !== undefined

/** Over a slow link; `disturb` comes when the first files are there. What has its name then is whole. */
async function disturbed(folder: string, disturb: (running: Running) => void): Promise<string> {
  const running = fettle(ground, 'zip', 'extract', nginx.url('/slow/large.zip').href, `${FOLDER}/**`, '-d', folder)
  await until('the first files', () => isBegun(folder))
  disturb(running)
  assert.equal(await exitOf(running, 60), 3, running.complaints)
  const files = [...thingsIn(folder)].filter(([, { kind }]) => kind === 'file')
  for (const [path, { content }] of files) assert.ok(content!.equals(expected.get(path)!.content!), path)
  assert.ok(files.length > 0 && files.length < IN_FOLDER, String(files.length))
  return running.complaints
}

test('stopped by a signal it says how far it is, and goes on from there', async () => {
  const folder = folderOf('stopped')
  const complaints = await disturbed(folder, (running) => running.kill('SIGINT'))
  assert.match(complaints, /^fettle: stopped; .* are there, each whole; the same command goes on.*\n$/)
  const { status, report } = await extractWithFettle(url, folder, `${FOLDER}/**`)
  assert.equal(status, 0)
  assert.ok(measured(report, 'same') > 0)
  assert.equal(measured(report, 'same') + measured(report, 'written'), IN_FOLDER)
})

test('an archive that is replaced meanwhile is not read on', async () => {
  const complaints = await disturbed(folderOf('changed'), () => {
    writeFileSync(`${large}.new`, small)
    renameSync(`${large}.new`, large)
  })
  assert.match(complaints, /^fettle: \S+: the archive was changed while it was read; .* each whole; .*\n$/)
})
