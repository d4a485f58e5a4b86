import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { imports, lineAt, scan } from './source.ts'

/** The text with comments gone, spaces joined: shorter to compare with. */
function code(text: string): string {
  return scan(text).code.replace(/\s+/g, ' ').trim()
}

test('comments and the insides of literals are no code', () => {
  assert.equal(code('a /* b */ c // d'), 'a c')
  assert.equal(code(`x('// no comment')`), `x(' ')`)
  assert.equal(code('x("it\'s", `//`)'), 'x(" ", ` `)')
  assert.equal(code(String.raw`x('\'', y)`), `x(' ', y)`)
})

test('what stands inside a template is code again, however deep', () => {
  assert.equal(code('`a ${b} c`; d'), '` ${b} `; d')
  assert.equal(code('`${ { a: `${b}` } }`; c'), '`${ { a: `${b}` } }`; c')
})

test('a slash divides after a value and begins a regular expression after an operator', () => {
  assert.equal(code('a = b / c / d'), 'a = b / c / d')
  assert.equal(code(`a = /'/g; b = '/'`), `a = / ; b = ' '`)
  assert.equal(code('x[0]! / y // z'), 'x[0]! / y')
  assert.equal(code(`return !/[/"]/.test(a)`), 'return !/ .test(a)')
  assert.equal(code(`f(x) / 2 + '/'`), `f(x) / 2 + ' '`)
})

test('every character keeps its place, whatever the text', () => {
  const piece = fc.constantFrom(...`'"\`/*\\{}$()[] \na1!=`, '//', '/*', '*/', '${', 'return ', 'import ')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const text = pieces.join('')
      const lines = (of: string): number[] => of.split('\n').map((line) => line.length)
      assert.deepEqual(lines(scan(text).code), lines(text))
    }),
  )
})

test('each way to import is found, types included, with its line', () => {
  const text = [
    `import fs from 'node:fs'`,
    `import type { A } from './a.ts'`,
    `import {\n  type B,\n  c as d,\n} from './b.ts'`,
    `import './e.ts'`,
    `export * from './f.ts'`,
    `export type { G } from './g.ts'`,
    `const h = await import('./h.ts')`,
    `let i: import('./i.ts').I`,
    `const j = require('./j.js')`,
    `new Worker(new URL('./k.ts', import.meta.url))`,
  ].join('\n')
  assert.deepEqual(
    imports(text).map((found) => `${found.line} ${found.by} ${found.specifier}`),
    [
      '1 import node:fs',
      '2 import ./a.ts',
      '6 import ./b.ts',
      '7 import ./e.ts',
      '8 import ./f.ts',
      '9 import ./g.ts',
      '10 import ./h.ts',
      '11 import ./i.ts',
      '12 import ./j.js',
      '13 address ./k.ts',
    ],
  )
})

test('what only looks like an import is none', () => {
  assert.deepEqual(imports(`// import a from './a.ts'`), [])
  assert.deepEqual(imports(`const text = "import a from './a.ts'"`), [])
  assert.deepEqual(imports(`export const from = './a.ts'`), [])
  assert.deepEqual(imports(`export interface A { from: 'a' | 'b' }`), [])
  assert.deepEqual(imports(`new URL('./a', base)`), [])
})

test('lines are counted from 1', () => {
  assert.equal(lineAt('a\nb\nc', 0), 1)
  assert.equal(lineAt('a\nb\nc', 1), 1)
  assert.equal(lineAt('a\nb\nc', 4), 3)
})
