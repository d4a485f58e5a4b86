import assert from 'node:assert/strict'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { judgeLink } from '../src/core/symlink.ts'
import { type Target, type TargetOptions, targetOf } from '../src/core/target.ts'
import { cpuMs } from './cpu.ts'

const plain: TargetOptions = { strip: 0, isDosHost: false }
const dos: TargetOptions = { strip: 0, isDosHost: true }

const told = (target: Target) =>
  target.ok ? [target.segments.join('|') + (target.isDirectory ? '|' : ''), ...target.oddities] : target.why

test('where names lead [Z7]', () => {
  const at = (name: string, options = plain) => told(targetOf(name, options))
  assert.deepEqual(at('a/b.txt'), ['a|b.txt'])
  assert.deepEqual(at('a/b/'), ['a|b|'])
  assert.deepEqual(at('./a//b/./c'), ['a|b|c'])
  assert.deepEqual(at('a/.'), ['a|'])
  assert.deepEqual(at('..a/b..'), ['..a|b..', 'trailing-dot'])
  assert.deepEqual(at('a/b/c', { ...plain, strip: 2 }), ['c'])
  assert.deepEqual(at('con/b', { ...plain, strip: 1 }), ['b'])
  assert.deepEqual(at('a\\b\\', dos), ['a|b|'])
  assert.deepEqual(at('a/b\\c', dos), ['a|b\\c', 'backslash'])
  assert.deepEqual(at('a\\b'), ['a\\b', 'backslash'])
})

test('a name that is plain at one look is what it is part by part', () => {
  const words = fc.constantFrom(
    'a',
    'B9',
    '_',
    '-',
    '.',
    ' ',
    '+~',
    '/',
    'con',
    'Com1',
    'nul',
    '..',
    'é',
    '*',
    '\u0007',
  )
  const long = fc.constantFrom(1, 254, 255, 256, 4090).map((length) => 'x'.repeat(length))
  let plain = 0
  fc.assert(
    fc.property(fc.array(fc.oneof({ weight: 40, arbitrary: words }, { weight: 1, arbitrary: long })), (parts) => {
      const name = parts.join('')
      fc.pre(!name.startsWith('/') && name !== '')
      const at = (name: string) => targetOf(name, { strip: 0, isDosHost: false })
      // The one behind `./` is looked at part by part.
      const [one, other] = [at(name), at(`./${name}`)]
      if (one.ok && one.oddities.length === 0) plain += 1
      if (name.length < 4090) assert.deepEqual(one, other)
    }),
    { numRuns: 2000 },
  )
  assert.ok(plain > 50, `${plain} of 2000 were plain`)
})

test('what is not written [Z7]', () => {
  const at = (name: string, options = plain) => told(targetOf(name, options))
  assert.equal(at(''), 'empty')
  assert.equal(at('./'), 'itself')
  assert.equal(at('a/', { ...plain, strip: 1 }), 'stripped')
  assert.equal(at('a\0b'), 'nul')
  for (const name of ['/etc/passwd', '/', '///x']) assert.equal(at(name), 'absolute', name)
  assert.equal(at('\\x', dos), 'absolute')
  for (const name of ['//host/share', '\\\\host\\share']) assert.equal(at(name), 'network', name)
  for (const name of ['C:/x', 'c:\\x', 'C:']) assert.equal(at(name), 'drive', name)
  assert.equal(at('C:x', dos), 'drive')
  assert.deepEqual(at('C:x'), ['C:x', 'stream'])
  for (const name of ['..', '../x', 'a/../b', 'a/..', '..\\x', 'a\\..', 'a/..\\b', 'a/../../x']) {
    assert.equal(at(name), 'parent', name)
    assert.equal(at(name, dos), 'parent', name)
    assert.equal(at(name, { ...plain, strip: 1 }), 'parent', name)
  }
  assert.equal(at('x'.repeat(256)), 'segment-long')
  assert.equal(at(`${'é'.repeat(128)}`), 'segment-long')
  assert.deepEqual(at('é'.repeat(127)), ['é'.repeat(127)])
  assert.equal(at('x/'.repeat(2048)), 'path-long')
  assert.equal(at(`${'é/'.repeat(1366)}`), 'path-long')
})

test('what is odd about names', () => {
  const odd = (name: string) => told(targetOf(name, plain)).slice(1)
  assert.deepEqual(odd('a\u001b[31m'), ['control'])
  assert.deepEqual(odd('a\u009bb'), ['control'])
  assert.deepEqual(odd('line\u2028'), ['control'])
  assert.deepEqual(odd('cod\u202egpj.exe'), ['direction'])
  assert.deepEqual(odd('a\u200bb'), ['invisible'])
  assert.deepEqual(odd('a\ufffdb'), ['invalid'])
  assert.deepEqual(odd('a/-rf'), ['dash'])
  assert.deepEqual(odd('Nginx /a'), ['spaces'])
  assert.deepEqual(odd('a/b.txt:hidden'), ['stream'])
  assert.deepEqual(odd('what?'), ['windows-character'])
  for (const name of ['CON', 'a/nul.txt', 'com1/x', 'LPT¹', 'aux .c', 'CONOUT$']) {
    assert.deepEqual(odd(name), ['reserved'], name)
  }
  for (const name of ['console', 'com', 'null', 'lpt10x', 'icon', 'größe', '文件', 'a-b', '.hidden', 'a b', '👩‍👩‍👧']) {
    assert.deepEqual(odd(name), [], name)
  }
  assert.deepEqual(odd('-a|b. '), ['dash', 'spaces', 'windows-character'])
})

test('whatever the name, it is inside [Z7]', () => {
  const pieces = fc.constantFrom('..', '.', '/', '\\', 'a', 'C:', '\0', ' ', '//', 'é', '...')
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 8 }), fc.boolean(), fc.nat(2), (all, isDosHost, strip) => {
      const target = targetOf(all.join(''), { strip, isDosHost })
      if (!target.ok) return
      assert.ok(target.segments.length > 0)
      for (const segment of target.segments) {
        assert.ok(!['', '.', '..'].includes(segment) && !/[/\0]/.test(segment), segment)
        if (isDosHost && !all.join('').includes('/')) assert.ok(!segment.includes('\\'))
      }
      const path = join('/out', ...target.segments)
      assert.equal(path, `/out/${target.segments.join('/')}`)
    }),
    { numRuns: 3000 },
  )
})

test('plain names take no time', () => {
  const names = Array.from({ length: 200_000 }, (_, i) => `folder ${i % 40}/some more/file-${i}.txt`)
  const began = cpuMs()
  let segments = 0
  for (const name of names) {
    const target = targetOf(name, plain)
    if (target.ok) segments += target.segments.length
  }
  assert.equal(segments, 600_000)
  assert.ok(cpuMs() - began < 400, `took ${cpuMs() - began} ms`)
})

test('links that are made, and that are not [Z15]', () => {
  const at = (link: string, target: string) => {
    const verdict = judgeLink(link.split('/'), target)
    return verdict.ok ? 'made' : verdict.why
  }
  for (const target of ['x', 'x/y', './x', '../x', '../../x', '..', '../..', '../', '...', 'a\\..\\b']) {
    assert.equal(at('a/b/link', target), 'made', target)
  }
  assert.equal(at('link', '.'), 'made')
  assert.equal(at('link', ''), 'empty')
  assert.equal(at('link', 'a\0'), 'nul')
  assert.equal(at('link', 'x'.repeat(4096)), 'long')
  assert.equal(at('link', 'é'.repeat(2048)), 'long')
  assert.equal(at('link', '/etc'), 'absolute')
  assert.equal(at('link', '..'), 'outside')
  assert.equal(at('a/link', './../../x'), 'outside')
  assert.equal(at('a/link', 'x/..'), 'winding')
  assert.equal(at('a/b/link', '../x/../y'), 'winding')
})

/** Where it was made, if it was. */
function makeLink(folder: string, path: readonly string[], target: string): string | undefined {
  const place = join(folder, ...path)
  const isFree = lstatSync(place, { throwIfNoEntry: false }) === undefined
  if (!isFree || realpathSync(dirname(place)) !== dirname(place) || !judgeLink(path, target).ok) return undefined
  symlinkSync(target, place)
  return place
}

test('links that are made lead nowhere outside, all of them together [Z7, Z15]', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'fettle-zip-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const names = fc.constantFrom('a', 'b', 'c')
  const paths = fc.array(names, { minLength: 1, maxLength: 3 })
  const targets = fc.array(fc.constantFrom('..', '..', 'a', 'b', 'c', '.'), { minLength: 1, maxLength: 4 })
  let run = 0
  let made = 0
  fc.assert(
    fc.property(fc.array(fc.tuple(paths, targets), { maxLength: 6 }), (links) => {
      const outer = join(folder, String(run++))
      const inner = join(outer, 'in')
      mkdirSync(inner, { recursive: true })
      writeFileSync(join(outer, 'secret'), '')
      const folders = links.filter(([path]) => path.length > 1).map(([path]) => path.slice(0, -1))
      for (const path of folders) mkdirSync(join(inner, ...path), { recursive: true })
      const done = links.flatMap(([path, target]) => makeLink(inner, path, target.join('/')) ?? [])
      for (const place of done) {
        if (!existsSync(place)) continue
        made++
        assert.match(`${realpathSync(place)}/`, new RegExp(`^${realpathSync(inner)}/`), place)
      }
    }),
    { numRuns: 300 },
  )
  assert.ok(made > 50, `${made} made`)
})
