import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

// A linter whose settings have gone wrong is silent, and silence looks like praise. One planted fault for each group of
// rules we count on shows that it looks.
const faulty = `
import fs from 'fs'
import { Stats } from 'node:fs'
export enum Colour { Red }
export default function planted(a: any, stats: Stats) {
  if (a == 1) debugger
  var b = 1
  later()
  undeclared()
  let c
  c = fs
  throw 'text'
}
async function later(): Promise<void> {}
test${'.only'}('x', () => {})
test${'.skip'}('y', () => {})
export function deep(n: number): number {
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) { if (i) { if (j) { if (n) { if (i > j) return 1 } } } }
  return 2
}
`

const mustBeFound = [
  'noDefaultExport',
  'noDoubleEquals',
  'noEnum',
  'noEvolvingTypes',
  'noExcessiveCognitiveComplexity',
  'noExplicitAny',
  'noFloatingPromises',
  'noFocusedTests',
  'noSkippedTests',
  'noUndeclaredVariables',
  'noUnusedVariables',
  'noVar',
  'useImportType',
  'useNodejsImportProtocol',
  'useThrowOnlyError',
]

test('the linter looks: each planted fault is found', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fettle-lint-'))
  for (const file of ['biome.json', '.gitignore']) copyFileSync(file, join(folder, file))
  writeFileSync(join(folder, 'planted.ts'), faulty)
  const args = ['lint', `--config-path=${folder}`, '--max-diagnostics=200', '--colors=off', folder]
  const { stdout, stderr } = spawnSync('node_modules/.bin/biome', args, { encoding: 'utf8' })
  rmSync(folder, { recursive: true })
  const silent = mustBeFound.filter((rule) => !`${stdout}${stderr}`.includes(`/${rule} `))
  assert.deepEqual(silent, [])
})
