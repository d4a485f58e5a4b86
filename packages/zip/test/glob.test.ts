import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { compileGlob, escapeGlob, foldCase, type Glob, type GlobOptions } from '../src/core/glob.ts'
import { cpuMs } from './cpu.ts'

function glob(pattern: string, options?: GlobOptions): Glob {
  const compiled = compileGlob(pattern, options)
  assert.ok(compiled.ok, compiled.ok ? '' : compiled.faults.join())
  return compiled.value
}

const faultOf = (pattern: string, options?: GlobOptions) => {
  const compiled = compileGlob(pattern, options)
  return compiled.ok ? undefined : compiled.faults.join()
}

/** Pattern, what it matches, what it does not. */
const CASES: [string, string[], string[]][] = [
  ['a/b.txt', ['a/b.txt', 'a/b.txt/', 'a/b.txt/c'], ['a/b.txt2', 'x/a/b.txt', 'A/b.txt']],
  ['Nginx', ['Nginx', 'Nginx/', 'Nginx/conf/x'], ['Nginx2/x', 'a/Nginx']],
  ['Nginx/', ['Nginx/', 'Nginx/conf/x'], ['Nginx', 'Nginx2/']],
  ['*', ['a', 'a/', '.hidden'], ['a/b', '']],
  ['a/*', ['a/b', 'a/b/'], ['a/', 'a', 'a/b/c']],
  ['a/**', ['a/', 'a/b', 'a/b/c'], ['a', 'b/a/c']],
  ['**/x', ['x', 'a/x', 'a/b/x', 'a/x/', 'a/x/below'], ['ax', 'a/xb']],
  ['a/**/b', ['a/b', 'a/x/b', 'a/x/y/b'], ['a/xb', 'ab']],
  ['**', ['a', 'a/', 'a/b/c'], []],
  ['**/', ['a/', 'a/b'], ['a']],
  ['**.conf', ['x.conf', 'a/b/x.conf'], ['x.conf2']],
  ['*.conf', ['x.conf', '.conf'], ['a/x.conf']],
  ['*/logs', ['a/logs', 'a/logs/', 'a/logs/1.txt'], ['a/b/logs', 'logs']],
  ['*/logs/', ['a/logs/', 'a/logs/1.txt'], ['a/logs']],
  ['?', ['a', 'é', '😀', 'a/'], ['ab', '/', '']],
  ['a?c', ['abc'], ['a/c']],
  ['*[!😀]', ['a😀b'], ['a😀']],
  ['[a-c]x', ['ax', 'cx'], ['dx', '-x']],
  ['[!a-c]x', ['dx'], ['ax', '/x']],
  ['[^a]', ['b'], ['a']],
  ['[]a]', [']', 'a'], ['b']],
  ['[a-]', ['a', '-'], ['b']],
  ['[\\]]', [']'], ['\\']],
  ['a[/]b', [], ['a/b']],
  ['x[y', ['x[y'], ['xy']],
  ['x\\[1\\]', ['x[1]'], ['x1']],
  ['\\*', ['*'], ['a']],
  ['{a,b}', ['{a,b}'], ['a', 'b']],
  ['a**b', ['ab', 'a/b', 'axx/yb'], ['a/bc']],
  ['**/a*/b', ['a/b', 'x/ay/b/below'], ['x/ay/c/b']],
  ['**a*b/c*d', ['xab/cd', 'a/ab/cxd', 'ab/x/ab/cd'], ['ab/c/d', 'a/b/cd']],
]

test('what patterns match [Z4]', () => {
  for (const [pattern, yes, no] of CASES) {
    for (const name of yes) assert.ok(glob(pattern).matches(name), `${pattern} does not match ${name}`)
    for (const name of no) assert.ok(!glob(pattern).matches(name), `${pattern} matches ${name}`)
  }
})

test('case is ignored in all scripts, and lengths stay', () => {
  const insensitive = (pattern: string) => glob(pattern, { ignoreCase: true })
  assert.ok(insensitive('NGINX/*.Conf').matches('nginx/A.CONF'))
  assert.ok(insensitive('ÄÖ/[А-Я]').matches('äö/ж'))
  assert.ok(insensitive('ΟΔΟΣ').matches('οδος'))
  assert.ok(!insensitive('strasse').matches('straße'))
  assert.equal(foldCase('İßK'), 'İßk')
  assert.ok(!glob('a').matches('A'))
})

test('what is said of a pattern', () => {
  assert.match(faultOf('')!, /empty/)
  assert.match(faultOf('a\\')!, /stands before nothing/)
  assert.match(faultOf('[z-a]')!, /z-a runs backwards/)
  assert.match(faultOf('x[y', { unzip: true })!, /no \]/)
  assert.match(faultOf('x[]', { unzip: true })!, /nothing stands between/)
  assert.match(faultOf('x'.repeat(70_000))!, /65,535/)
  assert.equal(faultOf('[z-a'), undefined)
})

test('how names that match begin and end', () => {
  const ends = (pattern: string, options?: GlobOptions) => {
    const { prefix, suffix, isLiteral, isTree } = glob(pattern, options)
    return [prefix, suffix, isLiteral, isTree]
  }
  assert.deepEqual(ends('a/b*.conf'), ['a/b', '.conf', false, false])
  assert.deepEqual(ends('a/b'), ['a/b', '', true, true])
  assert.deepEqual(ends('a/'), ['a', '', true, true])
  assert.deepEqual(ends('a/', { unzip: true }), ['a/', 'a/', true, false])
  assert.deepEqual(ends('*/logs'), ['', '', false, true])
  assert.deepEqual(ends('A*B', { ignoreCase: true }), ['a', 'b', false, false])
})

/** The same as a regular expression, which may take very long for long names. */
function naive(pattern: string, name: string): boolean {
  const isTree = /(^|\/)[^*?/]+$/.test(pattern)
  const end = pattern.endsWith('/') ? '/.*' : isTree ? '(?:/.*)?' : '/?'
  const body = pattern.replace(/\/$/, '').replace(/(?<![^/])\*\*\/|\*\*|(?<![^/])\*(?![^/])|\*|\?/g, (part, at) => {
    if (part !== '*') return { '**/': '(?:.*/)?', '**': '.*', '?': '[^/]' }[part]!
    const isWhole = /(^|\/)$/.test(pattern.slice(0, at)) && /^(\/|$)/.test(pattern.slice(at + 1))
    return isWhole ? '[^/]+' : '[^/]*'
  })
  return new RegExp(`^(?:${body})${end}$`).test(name)
}

test('patterns match what trying everything matches', () => {
  const parts = fc.constantFrom('a', 'b', '/', '*', '**', '**/', '?', '*/', '/**')
  const patterns = fc
    .array(parts, { minLength: 1, maxLength: 9 })
    .map((all) => all.join('').replace(/\*{3,}/g, '**'))
    .filter((pattern) => pattern !== '/')
  const names = fc.array(fc.constantFrom('a', 'b', '/'), { maxLength: 12 }).map((all) => all.join(''))
  fc.assert(
    fc.property(patterns, names, (pattern, name) => {
      assert.equal(glob(pattern).matches(name), naive(pattern, name), `${pattern} on ${name}`)
    }),
    { numRuns: 20_000 },
  )
})

test('a name behind backslashes matches itself and nothing else', () => {
  const names = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter((name) => !name.endsWith('/'))
  fc.assert(
    fc.property(names, names, (name, other) => {
      const own = glob(escapeGlob(name))
      assert.ok(own.isLiteral && own.matches(name))
      assert.equal(own.matches(other), other === name || other.startsWith(`${name}/`))
      assert.ok(glob(escapeGlob(name), { unzip: true }).matches(name))
    }),
  )
})

test('hostile names and patterns take no time [Z4]', () => {
  const names = ['a'.repeat(65_535), 'a/'.repeat(32_767), `${'a'.repeat(1000)}/`.repeat(65), 'ab'.repeat(32_767)]
  const patterns = ['*a*a*a*a*b', '**a**a**a**b', '**a*a*a*b', '**/*a*a/*a*b', '**/**/**/*a/b', '**a*/*a*/*ab/c']
  const began = cpuMs()
  for (const name of names) {
    for (const pattern of patterns) {
      for (const unzip of [false, true]) assert.ok(!glob(pattern, { unzip }).matches(`${name}c`))
    }
  }
  assert.ok(cpuMs() - began < 1500, `took ${cpuMs() - began} ms`)
})

const PYTHON = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as z:
    for n in sys.stdin.read().split('\\0'): z.writestr(n, '')
`

test('--unzip-globs matches what unzip matches [Z4]', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'fettle-zip-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const names = ['a/', 'a/b.txt', 'a/c/d.txt', 'b.txt', 'B.TXT', 'x[y].txt', 'x*y', 'back\\slash', 'a/c/', 'z]q', 'm-n']
  const archive = join(folder, 'names.zip')
  execFileSync('python3', ['-c', PYTHON, archive], { input: [...names, '.hidden', 'foo!', 'a/b/c'].join('\0') })
  const unzipped = (...args: string[]) => {
    try {
      // What matches nothing is complained of on standard output, with status 11.
      return execFileSync('unzip', ['-Z1', ...args], { encoding: 'utf8', stdio: 'pipe' })
        .split('\n')
        .slice(0, -1)
    } catch (error) {
      assert.equal((error as { status: number }).status, 11)
      return []
    }
  }
  const all = unzipped(archive)
  assert.equal(all.length, names.length + 3)
  const patterns = [
    ...[
      '*',
      '*.txt',
      '?.txt',
      'a?b.txt',
      'a',
      'a/',
      'a/*',
      'x[y].txt',
      'x[[]y].txt',
      'x\\[y\\].txt',
      'x\\*y',
      '**/d.txt',
    ],
    ...['back\\slash', 'back\\\\slash', '[!a]*', '[^a]*', 'a[/]b.txt', 'a[!x]b.txt', '[z]]q', 'm[-a]n', '[a-c].txt'],
    ...[
      'b.TXT',
      'foo!',
      'foo[!]',
      'foo[!!]',
      'foo[\\!]',
      'x[\\*]y',
      'z[\\]]q',
      '{a,b}*',
      '*[.]*',
      '*/?/*',
      '???',
      './b.txt',
    ],
  ]
  for (const pattern of patterns) {
    const own = glob(pattern, { unzip: true })
    assert.deepEqual(all.filter(own.matches), unzipped(archive, pattern), pattern)
  }
  const insensitive = glob('B*', { unzip: true, ignoreCase: true })
  assert.deepEqual(all.filter(insensitive.matches), unzipped('-C', archive, 'B*'))
})
