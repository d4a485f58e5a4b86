/** A disk that gets full in the middle, in a namespace of its own. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { launcher } from '../fettle.ts'
import { exitOf, find, Ground } from '../harness.ts'
import { zip } from './writer.ts'

test('a disk that takes not one file more ends it in one line [Z17]', async (t) => {
  const ground = new Ground(t)
  writeFileSync(join(ground.folder, 'a.zip'), zip({ entries: [{ name: 'new/a', content: 'a' }] }))
  mkdirSync(join(ground.folder, 'disk'))
  const fettle = `"${process.execPath}" "${launcher}" zip extract a.zip -d disk`
  const script = `mount -t tmpfs -o nr_inodes=2 none disk; ${fettle}; echo "status $?"; ls -A disk | wc -l`
  const root = process.getuid?.() === 0 ? [] : ['--map-root-user']
  const shell = ['/bin/sh', '-c', `cd "$0"; ${script}`, ground.folder]
  const running = ground.start(find('unshare'), [...root, '--mount', '--', ...shell])
  assert.equal(await exitOf(running, 30), 0, running.output)
  assert.match(running.output, /^fettle: disk: .+; .+\n(?:.*\n)*status 3\n0\n/m)
})

test('a full disk ends it in one line, and each file that has its name is whole [Z17]', async (t) => {
  const ground = new Ground(t)
  const content = randomBytes(50_000)
  const archive = join(ground.folder, 'many.zip')
  const nameOf = (i: number) => (i % 2 === 0 ? `f${i}` : `new/f${i}`)
  const whole = Array.from({ length: 100 }, (_, i) => ({ name: nameOf(i), content }))
  const damaged = { name: 'damaged', content, local: { crc: 1 }, central: { crc: 1 } }
  writeFileSync(archive, zip({ entries: [damaged, ...whole] }))
  writeFileSync(join(ground.folder, 'content'), content)
  mkdirSync(join(ground.folder, 'disk'))
  const fettle = `"${process.execPath}" "${launcher}" zip extract many.zip -d disk`
  // Something is in it, so nobody knows beforehand how much is to come.
  const script = `
    mount -t tmpfs -o size=1m none disk && touch disk/mine || exit 9
    ${fettle}; echo "status $?"
    for file in disk/f* disk/new/*; do cmp "$file" content || echo broken; done
    ls -A disk | grep -v '^f'; ls disk/f* disk/new/f* | wc -l
    mount -o remount,size=9m disk && ${fettle} > again; echo "status $?"; ls disk/f* disk/new/f* | wc -l; grep already again`
  const root = process.getuid?.() === 0 ? [] : ['--map-root-user']
  const shell = ['/bin/sh', '-c', `cd "$0"; ${script}`, ground.folder]
  const running = ground.start(find('unshare'), [...root, '--mount', '--', ...shell])
  assert.equal(await exitOf(running, 30), 0, running.output)
  const said = running.output
  const told =
    /fettle: disk: the disk is full; (\d+) of 101 files are there, each whole; the same command goes on/.exec(said)
  const counted = /^status 3\nmine\nnew\n([1-9]|1\d)\nstatus 1\n100\nwere there already +\1\n$/m.exec(said)
  assert.ok(told !== null && counted !== null && told[1] === counted[1], said)
})
