import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { GlobOptions } from '../src/core/glob.ts'
import { type Near, NearNames } from '../src/core/near.ts'
import { cpuMs } from './cpu.ts'

function near(pattern: string, names: readonly string[], options?: GlobOptions): Near[] {
  const finder = new NearNames(pattern, options)
  for (const name of names) finder.see(name)
  return finder.found()
}

const told = (pattern: string, names: readonly string[], options?: GlobOptions) =>
  near(pattern, names, options).map(({ name, reasons, count }) =>
    [name, reasons.join('+'), ...(count === undefined ? [] : [count])].join(' | '),
  )

test('what is near, and why [Z5]', () => {
  const names = ['Nginx /', 'Nginx /conf/', 'Nginx /conf/nginx.conf', 'backup/etc/app.conf', 'backup/etc/photo[1].jpg']
  assert.deepEqual(told('Nginx/**', names), ['Nginx / | space'])
  assert.deepEqual(told('Nginx', names), ['Nginx / | space'])
  assert.deepEqual(told('nginx/conf/**', names), ['Nginx /conf/ | space+case'])
  assert.deepEqual(told('etc/app.conf', names), ['backup/etc/app.conf | inside'])
  assert.deepEqual(told('etc/*.conf', names), ['backup/etc/ | inside'])
  assert.deepEqual(told('backup/*.conf', names), ['backup/**.conf | crossing | 1'])
  assert.deepEqual(told('*.conf', names), ['**.conf | crossing | 2'])
  assert.deepEqual(told('backup\\etc\\app.conf', names), ['backup/etc/app.conf | backslash'])
  assert.deepEqual(told('backup/etc/photo[1].jpg', names), ['backup/etc/photo[1].jpg | literal'])
  assert.deepEqual(told('./backup/etc/app.conf', names), ['backup/etc/app.conf | start'])
  assert.deepEqual(told('/backup', names), ['backup/ | start'])
  assert.deepEqual(told('bakcup/**', names), ['backup/ | typo'])
  assert.deepEqual(told('backup/etc/ap.cnof', names), ['backup/etc/app.conf | typo'])
  assert.deepEqual(told('app.cnf', names), ['backup/etc/app.conf | typo'])
  assert.deepEqual(told('backup/etc/*.html', names), ['backup/etc/ | folder | 2'])
  assert.deepEqual(told('backup/etc/other.html', names), ['backup/etc/ | folder | 2'])
  assert.deepEqual(told('nothing/like/that', names), [])
})

test('names in other forms [Z5]', () => {
  assert.deepEqual(told('café/*', ['cafe\u0301/menu']), ['cafe\u0301/ | form'])
  assert.deepEqual(told('Caf\u00e9', ['cafe\u0301/menu']), ['cafe\u0301/ | form+case'])
  assert.deepEqual(told('ABC.txt', ['ＡＢＣ.txt']), ['ＡＢＣ.txt | width'])
  assert.deepEqual(told('ﾌｫﾙﾀﾞ/**', ['フォルダ/x']), ['フォルダ/ | width'])
  assert.deepEqual(told('a/b', ['a\\b']), ['a\\b | backslash'])
  assert.deepEqual(told('b', ['x\\y\\B\\c']), ['x\\y\\B\\ | backslash+inside+case'])
  assert.deepEqual(told('ÄRGER', ['ärger']), ['ärger | case'])
})

test('with the patterns of unzip', () => {
  assert.deepEqual(told('Nginx', ['Nginx/', 'Nginx/x'], { unzip: true }), ['Nginx/ | below'])
  assert.deepEqual(told('NGINX/*', ['nginx/x'], { unzip: true }), ['nginx/ | case'])
  assert.deepEqual(told('conf/*', ['Nginx/conf/x'], { unzip: true }), ['Nginx/conf/ | inside'])
})

test('three at the most, the nearest first, each once', () => {
  const names = ['logs-2024/a', 'LOGS/a', 'LOGS/b', 'logz/a', 'old/logs/a', 'lags/a', 'Logs/x', 'logs /y']
  assert.deepEqual(told('logs/**', names), ['LOGS/ | case', 'Logs/ | case', 'logs / | space'])
})

test('spelling is compared as by counting changes', () => {
  const words = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 5, maxLength: 8 }).map((all) => all.join(''))
  fc.assert(
    fc.property(words, words, (word, other) => {
      fc.pre(word !== other)
      const isNear = near(word, [other]).length === 1
      assert.equal(isNear, distance(word, other) <= 2, `${word} ${other}`)
    }),
    { numRuns: 2000 },
  )
})

/** With swaps of neighbours, by the whole table. */
function distance(a: string, b: string): number {
  const table = Array.from({ length: a.length + 1 }, (_, i) => Array.from({ length: b.length + 1 }, (_, j) => i + j))
  const at = (i: number, j: number) => table[i]?.[j] ?? Number.POSITIVE_INFINITY
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1]
      const isSwapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const swapped = isSwapped ? at(i - 2, j - 2) + 1 : Number.POSITIVE_INFINITY
      table[i]![j] = Math.min(at(i - 1, j - 1) + (isSame ? 0 : 1), at(i - 1, j) + 1, at(i, j - 1) + 1, swapped)
    }
  }
  return at(a.length, b.length)
}

test('anything at all is survived', () => {
  const texts = fc.string({
    unit: fc.constantFrom('a', '/', '\\', '*', '[', ']', ' ', '.', 'é', '\u0301', '?'),
    maxLength: 9,
  })
  fc.assert(
    fc.property(texts, fc.array(texts, { maxLength: 9 }), fc.boolean(), (pattern, names, unzip) => {
      for (const one of near(pattern, names, { unzip })) assert.ok(one.reasons.length > 0, `${pattern} ${names}`)
    }),
    { numRuns: 3000 },
  )
})

test('many names take no time', () => {
  const name = (i: number) => `Folder ${i % 997}/some more/file-${i}.txt`
  for (const pattern of [
    'folder 1/*.txt',
    'Foldr 1/**',
    'file-77xx.txt',
    '*.txt',
    '*.conf',
    'Folder 1/some more/file-1',
  ]) {
    const finder = new NearNames(pattern)
    const began = cpuMs()
    for (let i = 0; i < 200_000; i++) finder.see(name(i))
    assert.ok(cpuMs() - began < 1000, `${pattern}: ${cpuMs() - began} ms`)
    assert.ok(finder.found().length > 0 || pattern === '*.conf')
  }
})
