import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Wanted } from '../src/core/directory.ts'
import { namesIn, type Selection, type SelectionOptions, selection } from '../src/core/select.ts'
import { cpuMs } from './cpu.ts'

function select(options: SelectionOptions): Selection {
  const selected = selection(options)
  assert.ok(selected.ok, selected.ok ? '' : selected.faults.join())
  return selected.value
}

const matching = (options: SelectionOptions, names: readonly string[]) => {
  const { matches } = select(options)
  return names.filter((name) => matches(name, 0, 0))
}

const says = ({ begins, may }: Wanted, bytes: Uint8Array, start: number, end: number) =>
  begins[bytes[start]!] !== 0 && may(bytes, start, end)

const may = ({ prefilter }: Selection, name: string) => {
  const bytes = new TextEncoder().encode(`before${name}after`)
  return prefilter === undefined || says(prefilter, bytes, 6, bytes.length - 5)
}

test('patterns, exact names and exclusions [Z4]', () => {
  const names = ['Nginx/', 'Nginx/a.conf', 'Nginx/b.log', 'other/a.conf', 'x', 'x/', 'x/below', 'X']
  assert.deepEqual(matching({}, names), names)
  assert.deepEqual(matching({ include: ['Nginx'] }, names), names.slice(0, 3))
  assert.deepEqual(matching({ include: ['Nginx/', 'x'], exclude: ['**/*.log'] }, names), [
    ...['Nginx/', 'Nginx/a.conf', 'x', 'x/', 'x/below'],
  ])
  assert.deepEqual(matching({ names: ['x', 'Nginx/b.log', '*'] }, names), ['Nginx/b.log', 'x', 'x/'])
  assert.deepEqual(matching({ names: ['x/'], ignoreCase: true }, names), ['x', 'x/', 'X'])
  assert.deepEqual(matching({ names: [] }, names), [])
  assert.deepEqual(matching({ names: ['x'], include: ['**/a.conf'] }, names), [
    'Nginx/a.conf',
    'other/a.conf',
    'x',
    'x/',
  ])
  assert.deepEqual(matching({ exclude: ['Nginx', 'x/'] }, names), ['other/a.conf', 'x', 'X'])
})

test('what matched nothing is told as it was given, in order [Z5]', () => {
  const some = select({
    include: ['none/*', 'a', '*', 'A/', 'b/none'],
    exclude: ['*.log', '*.bak'],
    names: ['a', 'Gone/', 'gone\u0301'],
    larger: 10,
  })
  assert.deepEqual(some.unmatched(), ['none/*', 'a', '*', 'A/', 'b/none', 'a', 'Gone/', 'gone\u0301'])
  assert.ok(!some.matches('a', 0, 0), 'too small')
  assert.ok(!some.matches('x.log', 11, 0))
  assert.deepEqual(some.unmatched(), ['none/*', 'A/', 'b/none', 'Gone/', 'gone\u0301'])
  assert.deepEqual(some.unmatchedExcludes(), ['*.bak'])
  assert.ok(some.matches('b/none/below', 11, 0))
  assert.deepEqual(some.unmatched(), ['none/*', 'A/', 'Gone/', 'gone\u0301'])
})

test('sizes and dates', () => {
  const { matches } = select({ larger: 10, smaller: 20, newerMs: 100, olderMs: 200 })
  const inside = (size: number, at: number) => matches('x', size, at)
  assert.deepEqual([inside(10, 150), inside(11, 150), inside(19, 150), inside(20, 150)], [false, true, true, false])
  assert.deepEqual([inside(15, 99), inside(15, 100), inside(15, 199), inside(15, 200)], [false, true, true, false])
})

test('all faults are told at once', () => {
  const selected = selection({ include: ['[b-a]', 'fine'], exclude: ['x\\'] })
  assert.ok(!selected.ok)
  assert.equal(selected.faults.length, 2)
})

test('lists of names as Windows, editors and find -print0 write them [Z4]', () => {
  assert.deepEqual(namesIn('a b\r\n\r\nc/\nd'), ['a b', 'c/', 'd'])
  assert.deepEqual(namesIn('\ufeffa\nb\n'), ['a', 'b'])
  assert.deepEqual(namesIn('a\nb\0c\r\0'), ['a\nb', 'c\r'])
})

test('the prefilter never says no of what matches', () => {
  const letters = fc.constantFrom('a', 'A', 'b', '/', '\\', '.', 'é', 'K', 'k')
  const names = fc.array(letters, { minLength: 1, maxLength: 8 }).map((all) => all.join(''))
  const pieces = fc.constantFrom('a', 'A', 'b', '/', '.', '*', '**', '?', 'é', 'k', '[ab]')
  const patterns = fc.array(pieces, { minLength: 1, maxLength: 6 }).map((all) => all.join(''))
  const options = fc.record({
    include: fc.array(patterns, { maxLength: 3 }),
    names: fc.option(fc.array(names, { maxLength: 4 }), { nil: [] }),
    ignoreCase: fc.boolean(),
    unzip: fc.boolean(),
  })
  let yes = 0
  let no = 0
  fc.assert(
    fc.property(options, fc.array(names, { minLength: 1, maxLength: 30 }), (given, entries) => {
      const some = select(given)
      for (const name of [...entries, ...(given.names ?? [])]) {
        const isMatch = some.matches(name, 0, 0) || some.matches(name.replaceAll('\\', '/'), 0, 0)
        if (isMatch) assert.ok(may(some, name), `${name} is not let through`)
        if (may(some, name)) yes++
        else no++
      }
    }),
    { numRuns: 2000 },
  )
  assert.ok(no > yes / 10, `lets everything through: ${yes} to ${no}`)
})

test('the prefilter lets through what it must and little else', () => {
  const some = select({ names: ['a/b', 'c/'], include: ['Nginx/**', '**.conf', 'docs', 'docs2/'] })
  const yes = [
    'a/b',
    'a/b/',
    'c',
    'c/',
    'Nginx/',
    'Nginx/x',
    'x.conf',
    'x.conf/',
    'docs',
    'docs/x',
    'docs\\x',
    'docs2/x',
  ]
  const no = ['a', 'Nginx', 'x.confx', 'docs3', 'x/docs', '']
  assert.deepEqual(
    [...yes, ...no].filter((name) => may(some, name)),
    yes,
  )
  assert.equal(select({ include: ['**/x'] }).prefilter, undefined)
  assert.equal(select({ exclude: ['x'] }).prefilter, undefined)
  assert.ok(!may(select({ names: ['a'] }), 'é'))
  assert.ok(may(select({ names: ['é'] }), 'ü'), 'how it is written depends on the encoding')
})

test('thousands of names and patterns cost no more than a few [Z4]', () => {
  const entries = Array.from({ length: 200_000 }, (_, i) => `folder ${i % 40}/some more/file-${i}.txt`)
  const bytes = new TextEncoder().encode(entries.join(''))
  const wanted = entries.filter((_, i) => i % 100 === 0)
  for (const options of [
    { names: wanted },
    { include: wanted },
    { include: ['folder 1/**'] },
    { include: ['**.conf'] },
  ]) {
    const { prefilter, matches } = select(options)
    const began = cpuMs()
    let at = 0
    let count = 0
    for (const entry of entries) {
      const end = at + entry.length
      if (says(prefilter!, bytes, at, end) && matches(entry, 0, 0)) count++
      at = end
    }
    const tookMs = cpuMs() - began
    assert.ok(count === 2000 || count === 5000 || count === 0)
    assert.ok(tookMs < 500, `took ${tookMs} ms`)
  }
})
