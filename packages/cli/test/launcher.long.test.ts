import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { accessSync, constants, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const launcher = fileURLToPath(new URL('../bin/fettle.js', import.meta.url))

/** What every Node that is too old has to get: one line on stderr, nothing on stdout, status 78. */
function assertRefused(node: string, args: readonly string[], version: string): void {
  const { status, stdout, stderr } = spawnSync(node, args, { encoding: 'utf8' })
  assert.equal(stdout, '')
  assert.match(stderr, /^[^\n]+\n$/)
  assert.ok(stderr.startsWith(`fettle needs Node.js 24.15 or newer; this is ${version} (`), stderr)
  assert.match(stderr, /npm ci/)
  assert.equal(status, 78)
}

/** Runs the launcher in this Node, which says that it is another. */
function disguised(version: string): string[] {
  const disguise = `Object.defineProperty(process.versions, 'node', { value: '${version}' })`
  return ['--eval', `${disguise}; require(${JSON.stringify(launcher)})`]
}

for (const version of ['8.17.0', '20.20.2', '24.14.1']) {
  test(`Node ${version} is refused with one line`, () => {
    assertRefused(process.execPath, disguised(version), version)
  })
}

for (const version of ['24.15.0', '24.21.0', '26.0.0']) {
  test(`Node ${version} is let in`, () => {
    assert.notEqual(spawnSync(process.execPath, disguised(version)).status, 78)
  })
}

test('a Node that is really too old gets the same line, if this machine has one', (t) => {
  const older = nodes().filter(([, version]) => isTooOld(version))
  for (const [path, version] of older) assertRefused(path, [launcher], version)
  t.diagnostic(older.length === 0 ? 'none here' : older.map(([path, version]) => `${path} ${version}`).join(', '))
})

test('the exit status is what main returns, and 70 when it breaks', () => {
  assert.equal(launched('return argv.length').status, 2)
  const broken = launched(`throw new Error('broken')`)
  assert.equal(broken.status, 70)
  assert.match(broken.stderr, /Error: broken\n\s+at .*main/)
})

/** Runs a copy of the launcher, with two arguments, before a `main` with this body. */
function launched(body: string): { readonly status: number | null; readonly stderr: string } {
  const folder = mkdtempSync(join(tmpdir(), 'fettle-launcher-'))
  try {
    cpSync(dirname(launcher), join(folder, 'bin'), { recursive: true })
    mkdirSync(join(folder, 'src'))
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    writeFileSync(join(folder, 'src/main.ts'), `export async function main(argv: string[]) { ${body} }`)
    return spawnSync(process.execPath, [join(folder, 'bin/fettle.js'), 'a', 'b'], { encoding: 'utf8' })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('the launcher uses only what Node 8 can parse', () => {
  const code = readFileSync(launcher, 'utf8').replace(/\/\/.*/g, '')
  assert.doesNotMatch(code, /\bimport\b|\?\.|\?\?|\bawait\b|\bcatch\s*\{/)
})

/** Every other `node` that the PATH and the usual places hold, with its version. */
function nodes(): [path: string, version: string][] {
  const folders = new Set([...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/usr/local/bin'])
  return [...folders]
    .map((folder) => join(folder, 'node'))
    .filter(isExecutable)
    .map((path) => [path, spawnSync(path, ['--print', 'process.versions.node'], { encoding: 'utf8' }).stdout.trim()])
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return version !== '' && (major < 24 || (major === 24 && minor < 15))
}
