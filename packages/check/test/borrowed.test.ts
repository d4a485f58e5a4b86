/** What was borrowed of a server's settings, as the data folder tells it. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { borrow, borrowedFrom } from '../src/borrowed.ts'
import { writeWhole } from '../src/whole.ts'

test('a file that is none of ours, or was changed, is passed over', (context) => {
  const data = mkdtempSync(join(tmpdir(), 'fettle-borrowed-'))
  context.after(() => rmSync(data, { recursive: true }))
  const what = { tool: 'redis check', target: 'a', settings: { timeout: '5' }, made: { timeout: ['0'] } }
  const forget = borrow(data, what)
  const one = { ...what, process: 1, started: null }
  const others = [
    null,
    [],
    7,
    { ...one, settings: null },
    { ...one, settings: { timeout: 5 } },
    { ...one, made: { timeout: '0' } },
    { ...one, made: { timeout: [0] } },
    { ...one, process: '1' },
  ]
  for (const [i, other] of others.entries()) {
    writeFileSync(join(data, 'borrowed', `${i}.json`), JSON.stringify(other))
  }
  assert.deepEqual(
    borrowedFrom(data, 'a').map(({ settings, isHeld }) => [settings, isHeld]),
    [[{ timeout: '5' }, true]],
  )
  forget()
  assert.deepEqual(borrowedFrom(data, 'a'), [])
})

test('a file that cannot be written leaves nothing behind', (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'fettle-whole-'))
  context.after(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'a'))
  assert.throws(() => writeWhole(join(folder, 'a'), 'text'))
  assert.deepEqual(readdirSync(folder), ['a'])
})

test('a folder that cannot be made is told at once, also where it would be asked for over and over', () => {
  const what = { tool: 'redis', target: 'a', settings: {}, made: {} }
  assert.throws(
    () => borrow('/proc/none/data', what),
    /^Error: \/proc\/none\/data\/borrowed\/\S+: cannot be written \(/,
  )
})
