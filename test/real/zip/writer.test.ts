/** Where nothing was made to lie, every other program believes what was written. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { find, Ground } from '../harness.ts'
import { type Archive, type Entry, FOLDER, LINK, zip } from './writer.ts'

const text = 'one two three '.repeat(500)
const entries: readonly Entry[] = [
  { name: 'plain', content: text },
  { name: 'as it is', content: text, method: 0 },
  { name: 'empty', method: 0 },
  { name: 'häuser/', mode: FOLDER, method: 0 },
  { name: 'häuser/größe', content: text, comment: Buffer.from('a comment') },
  { name: 'link', content: 'plain', mode: LINK, method: 0 },
  { name: 'later', content: text, hasDescriptor: true },
  { name: 'long', content: text, isZip64: true },
  { name: 'long and later', content: text, isZip64: true, hasDescriptor: true },
]

const archives: Readonly<Record<string, Archive>> = {
  plain: { entries },
  commented: { entries, comment: Buffer.from('a comment') },
  prefixed: { entries, prefix: Buffer.from('#!/bin/sh\n'), isAdjusted: true },
  long: { entries, end64: {} },
  empty: { entries: [] },
}

for (const [name, archive] of Object.entries(archives)) {
  test(`an archive that is ${name} is whole to unzip, 7zz, python and bsdtar`, (t) => {
    const ground = new Ground(t)
    const path = join(ground.folder, 'a.zip')
    writeFileSync(path, zip(archive))
    const words = [
      ...[
        [find('7zz'), 't', path],
        [find('python3'), '-m', 'zipfile', '-t', path],
        [find('bsdtar'), '-tf', path],
      ],
      // unzip has a status of its own for an empty archive.
      ...(archive.entries.length === 0 ? [] : [[find('unzip'), '-tqq', path]]),
    ]
    for (const [command = '', ...args] of words) {
      const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' })
      assert.equal(status, 0, `${command}: ${stdout}${stderr}`)
      // 7zz warns of every archive that is part of a program.
      if (archive.prefix === undefined) assert.doesNotMatch(`${stdout}${stderr}`, /warning/i)
    }
  })
}
