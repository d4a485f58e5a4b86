import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Entries, type PlanOptions, planOf } from '../src/core/plan.ts'
import { reach } from '../src/core/spans.ts'
import { nameOf } from '../src/entries.ts'
import { directoryOf, type Fields } from './records.ts'

const OPTIONS: PlanOptions = {
  ...{ strip: 0, keepsAll: false, makesLinks: true, hasSecret: false, seed: 1 },
  ...{ maxRatio: 250, maxBytes: Number.POSITIVE_INFINITY, maxFiles: Number.POSITIVE_INFINITY },
}

function plan(all: readonly Fields[], options: Partial<PlanOptions> = {}, stop = 1e15) {
  const { columns, count } = directoryOf(all)
  const entries: Entries = {
    columns,
    nameOf: (entry) => nameOf(columns, entry, (bytes) => Buffer.from(bytes).toString('latin1')),
    refusalOf: (entry) => (columns.flags[entry]! & 1 ? (['encrypted', ''] as const) : undefined),
    stop,
  }
  const planned = planOf(
    entries,
    Uint32Array.from({ length: count }, (_, i) => i),
    { ...OPTIONS, ...options },
  )
  const names = (list: Uint32Array) => Array.from(list, (entry) => entries.nameOf(entry))
  const codes = planned.tally.findings('x.zip').map(({ code }) => code.slice('zip.'.length))
  return { ...planned, columns, files: names(planned.files), order: planned.files, codes }
}

/** One after the other, as programs write them. */
function inTurn(all: readonly Fields[]): Fields[] {
  let at = 0
  return all.map((one) => {
    const offset = at
    at += 30 + one.name.length + (one.compressed ?? 0)
    return { ...one, offset }
  })
}

const small = { compressed: 10, size: 20 }

test('what is left out is known before anything is written, and why [Z10]', () => {
  const mode = (bits: number) => bits * 65_536
  const all = inTurn([
    { name: 'good', ...small },
    { name: '../x', ...small },
    { name: 'device', attributes: mode(0o020666) },
    { name: 'secret', flags: 1, ...small },
    { name: 'link', attributes: mode(0o120777), ...small },
    { name: 'folder/', attributes: mode(0o040755) },
    { name: 'lie', compressed: 1, size: 2000 },
    { name: 'suid', attributes: mode(0o104755), ...small },
  ])
  const { files, folders, links, bytes, codes } = plan(all, { makesLinks: false })
  assert.deepEqual([files, folders.length, links.length], [['good', 'suid'], 1, 0])
  assert.equal(bytes, 40)
  assert.deepEqual(codes, ['size', 'encrypted', 'unsafe-name', 'special-file', 'symlink-skipped', 'special-mode'])
  const other = plan(all, { hasSecret: true })
  assert.deepEqual([other.files, other.links.length], [['good', 'secret', 'suid'], 1])
})

test('limits end what is written, in the order of the archive [Z11]', () => {
  const all = inTurn(['a', 'b', 'c', 'd'].map((name) => ({ name, ...small }))).reverse()
  assert.deepEqual(plan(all, { maxFiles: 3 }).files, ['a', 'b', 'c'])
  assert.deepEqual(plan(all, { maxBytes: 45 }).files, ['a', 'b'])
  assert.deepEqual(plan(all, { maxBytes: 45 }).codes, ['limit'])
})

test('what unpacks to far more than it has bytes counts together [Z11]', () => {
  const dense = (name: string, size: number) => ({ name, compressed: size / 500, size })
  assert.deepEqual(plan(inTurn([dense('a', 2e8), { name: 'good', ...small }])).files, ['a', 'good'])
  const bombs = inTurn([dense('a', 2e8), dense('b', 1e8), { name: 'good', ...small }])
  assert.deepEqual([plan(bombs).files, plan(bombs).codes], [['good'], ['bomb']])
  assert.deepEqual(plan(bombs, { maxRatio: 500 }).files.length, 3)
})

test('of a name that is there more than once the last is written, or all are kept [Z9]', () => {
  const all = inTurn([
    { name: 'a', ...small },
    { name: './a', ...small },
    { name: 'b/a', ...small },
    { name: 'c', ...small },
    { name: 'c/d', ...small },
  ])
  assert.deepEqual(
    [plan(all).files, plan(all).codes],
    [
      ['./a', 'b/a', 'c/d'],
      ['duplicate-name', 'name-collision'],
    ],
  )
  assert.deepEqual(plan(all, { keepsAll: true }).files, ['a', './a', 'b/a', 'c/d'])
  assert.deepEqual(plan(all.slice(0, 3), { strip: 1 }).files, ['b/a'])
})

test('of those that share bytes none is written, and all others are [Z11]', () => {
  const places = fc.array(fc.tuple(fc.nat(3000), fc.nat(300)), { maxLength: 25 })
  fc.assert(
    fc.property(places, (all) => {
      const stop = 3000
      const { columns, order, codes } = plan(
        all.map(([offset, compressed], i) => ({ name: `${i}`, offset, compressed, size: 0 })),
        {},
        stop,
      )
      const range = (entry: number) => [columns.offset[entry]!, reach(columns, entry)] as const
      const inside = all.map((_, i) => i).filter((i) => range(i)[1] <= stop)
      const shares = (one: number, other: number) => range(one)[0] < range(other)[1] && range(other)[0] < range(one)[1]
      const alone = inside.filter((one) => !inside.some((other) => other !== one && shares(one, other)))
      assert.deepEqual(Array.from(order).sort(), alone.sort())
      assert.equal(codes.includes('outside'), inside.length < all.length)
    }),
    { numRuns: 300 },
  )
})
