import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ALIKE_MAX, type Collisions, collisionsOf, type Names, type Pairs } from '../src/core/collisions.ts'
import { targetOf } from '../src/core/target.ts'
import { cpuMs } from './cpu.ts'

function namesOf(all: readonly string[], { strip = 0, seed = 12_345, order = all.map((_, i) => i) } = {}): Names {
  const encoded = all.map((name) => new TextEncoder().encode(name))
  let end = 0
  const nameEnd = Uint32Array.from(encoded, (name) => (end += name.length))
  const pathOf = (entry: number) => pathFor(all[entry]!, strip)
  return { bytes: Buffer.concat(encoded), nameEnd, order: Uint32Array.from(order), pathOf, strip, seed }
}

function pathFor(name: string, strip: number): string | undefined {
  const target = targetOf(name, { strip, isDosHost: false })
  return target.ok ? target.segments.join('/') + (target.isDirectory ? '/' : '') : undefined
}

const pairs = ({ entries, others }: Pairs) => Array.from(entries, (entry, i) => [entry, others[i]])

const told = ({ replaced, blocked, alike, alikeCount }: Collisions) => ({
  ...(replaced.entries.length > 0 && { replaced: pairs(replaced) }),
  ...(blocked.entries.length > 0 && { blocked: pairs(blocked) }),
  ...(alikeCount > 0 && { alike: pairs(alike) }),
})

test('what collides [Z9]', () => {
  const at = (all: string[], options = {}) => told(collisionsOf(namesOf(all, options)))
  assert.deepEqual(at(['a', 'b', 'a/', 'c/d'].slice(1)), {})
  assert.deepEqual(at(['a', 'b', 'a', 'a', 'c']), {
    replaced: [
      [0, 3],
      [2, 3],
    ],
  })
  assert.deepEqual(at(['a', 'b', 'a', 'a'], { order: [3, 1, 0, 2] }), {
    replaced: [
      [0, 3],
      [2, 3],
    ],
  })
  assert.deepEqual(at(['d/', 'd/', 'D/']), {})
  assert.deepEqual(at(['a/b', './a//b']), { replaced: [[0, 1]] })
  assert.deepEqual(at(['a/x', 'b/x'], { strip: 1 }), { replaced: [[0, 1]] })
  assert.deepEqual(at(['a/x', 'b'], { strip: 1 }), {})
  assert.deepEqual(at(['../x', '../x']), {})
  assert.deepEqual(at(['a', 'a/b']), { blocked: [[0, 1]] })
  assert.deepEqual(at(['a/b/c', 'a/b', 'x', 'a/b']), { replaced: [[1, 3]], blocked: [[3, 0]] })
  assert.deepEqual(at(['a/', 'a', 'a/b']), { blocked: [[1, 0]] })
  assert.deepEqual(at(['é', 'é/x']), { blocked: [[0, 1]] })
  assert.deepEqual(at(['README', 'Readme', 'x']), { alike: [[1, 0]] })
  assert.deepEqual(at(['caf\u00e9', 'cafe\u0301', 'CAFÉ', '\u212a', 'k']), {
    alike: [
      [1, 0],
      [2, 0],
      [4, 3],
    ],
  })
  assert.deepEqual(at(['A', 'a', 'a']), { replaced: [[1, 2]], alike: [[2, 0]] })
})

/** The same with strings in maps. */
function plainly(all: readonly string[], strip: number) {
  const paths = all.map((name) => pathFor(name, strip))
  const files = new Map<string, number>()
  const folders = new Set<string>()
  for (const [i, path] of paths.entries()) {
    if (path === undefined) continue
    if (!path.endsWith('/')) files.set(path, i)
    const parts = path.split('/')
    for (let n = 1; n < parts.length; n++) folders.add(parts.slice(0, n).join('/'))
  }
  const replaced = paths.flatMap((path, i) => {
    const winner = path === undefined ? undefined : files.get(path)
    return winner === undefined || winner === i ? [] : [[i, winner]]
  })
  const blocked = [...files].flatMap(([path, i]) => (folders.has(path) ? [i] : [])).sort((a, b) => a - b)
  return { replaced, blocked }
}

test('what collides is what collides in maps of strings', () => {
  const parts = fc.constantFrom('a', 'A', 'b', '/', '/', 'é', '.', '\\')
  const names = fc.array(parts, { minLength: 1, maxLength: 6 }).map((all) => all.join(''))
  fc.assert(
    fc.property(fc.array(names, { maxLength: 30 }), fc.nat(1), fc.integer(), (all, strip, seed) => {
      const own = collisionsOf(
        namesOf(
          all.filter((name) => !name.startsWith('/')),
          { strip, seed },
        ),
      )
      const expected = plainly(
        all.filter((name) => !name.startsWith('/')),
        strip,
      )
      assert.deepEqual(pairs(own.replaced), expected.replaced)
      assert.deepEqual(
        Array.from(own.blocked.entries).sort((a, b) => a - b),
        expected.blocked,
      )
    }),
    { numRuns: 3000 },
  )
})

test('many names, hostile ones too, take no time', () => {
  const count = 200_000
  const bits = (i: number) => Array.from({ length: 20 }, (_, bit) => 'aA'[(i >> bit) & 1]).join('')
  const sets: [string, (i: number) => string, number][] = [
    ['plain', (i) => `folder ${i >> 8}/some more/file-${i}.txt`, 0],
    ['all alike', bits, count - 1],
    ['all the same', () => 'same', 0],
    ['deep', (i) => `${'d/'.repeat(50)}${i}`, 0],
    ['short', (i) => i.toString(36), 0],
  ]
  for (const [title, name, alikeCount] of sets) {
    const names = namesOf(Array.from({ length: count }, (_, i) => name(i)))
    const began = cpuMs()
    const found = collisionsOf(names)
    assert.ok(cpuMs() - began < 2000, `${title}: ${cpuMs() - began} ms`)
    assert.equal(found.alikeCount, alikeCount, title)
    assert.equal(found.alike.entries.length, Math.min(alikeCount, ALIKE_MAX))
    assert.equal(found.replaced.entries.length, title === 'all the same' ? count - 1 : 0)
  }
})
