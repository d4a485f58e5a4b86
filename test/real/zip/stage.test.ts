/** The folder in which files are until they are whole: nobody's files are cleared away with it. */
import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Ground } from '../harness.ts'
import { extractWithFettle } from './extracting.ts'
import { zip } from './writer.ts'

const ground = new Ground({ after: (hook) => after(hook) })
const at = (name: string) => join(ground.folder, name)
/** Of a run on this machine since it was started; the number is larger than any that a process has. */
const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').slice(0, 8)
const STALE = `.fettle-zip-4194999-${boot}${/\d+/.exec(readlinkSync('/proc/self/ns/pid'))}-x`
writeFileSync(at('a.zip'), zip({ entries: [{ name: 'a', content: 'a' }] }))
writeFileSync(at('like.zip'), zip({ entries: [{ name: `${STALE}/kept`, content: 'kept' }] }))

test('what a killed run has left is cleared away', async () => {
  mkdirSync(at(`left/${STALE}/1/folder-0/of an archive`), { recursive: true })
  mkdirSync(at('kept'))
  symlinkSync('../../../../../kept', at(`left/${STALE}/1/folder-0/link`))
  for (const draft of ['0-17', 'link', '1/4', '1/folder-0/of an archive/file', '../../kept/file'])
    writeFileSync(at(`left/${STALE}/${draft}`), 'half')
  await extractWithFettle(at('a.zip'), at('left'))
  assert.deepEqual(readdirSync(at('left')), ['a'])
  assert.deepEqual(readdirSync(at('kept')), ['file'])
})

test('a run on another machine, or in another container, may still be at work: it has a day', async () => {
  const [young, old] = ['.fettle-zip-1-elsewhere-x', '.fettle-zip-2-elsewhere-x']
  for (const name of [young, old]) {
    mkdirSync(at(`shared/${name}/0`), { recursive: true })
    writeFileSync(at(`shared/${name}/0/0`), 'half')
  }
  const days = Date.now() / 1000 - 2 * 86_400
  utimesSync(at(`shared/${old}`), days, days)
  await extractWithFettle(at('a.zip'), at('shared'))
  assert.deepEqual(readdirSync(at('shared')).sort(), [young, 'a'])
})

test('a folder out of an archive that is called like it stays', async () => {
  await extractWithFettle(at('like.zip'), at('like'))
  await extractWithFettle(at('a.zip'), at('like'))
  assert.equal(readFileSync(at(`like/${STALE}/kept`), 'utf8'), 'kept')
})

test('a link in its place leads to no file that is cleared away', async () => {
  mkdirSync(at('other'))
  writeFileSync(at('other/0-1'), 'kept')
  mkdirSync(at('linked'))
  symlinkSync(at('other'), at(`linked/${STALE}`))
  await extractWithFettle(at('a.zip'), at('linked'))
  assert.ok(existsSync(at('other/0-1')))
  assert.ok(existsSync(at('linked/a')))
})
