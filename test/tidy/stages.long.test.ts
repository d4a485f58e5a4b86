import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { missingPackages, packageNames } from '../../scripts/debian.ts'
import { type Outcome, runTestFiles } from '../../scripts/stages.ts'

/** What a stage says of these test files, by name without `.test.ts`. */
async function outcome(files: Readonly<Record<string, string>>): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'fettle-stages-'))
  try {
    const paths = Object.entries(files).map(([name, body]) => {
      const path = join(folder, `${name}.test.mts`)
      writeFileSync(path, `import { test } from 'node:test'\n${body}\n`)
      return path
    })
    return await runTestFiles(paths, { atOnce: 1, testSeconds: 5, idleSeconds: 0.5 }, true)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const good = `test('good', () => {})`
const bad = `test('bad', () => { throw new Error('bad') })`
const leftOut = `test${'.skip'}('left out', () => {})`
const putOff = `test('put off', { ${'todo'}: true }, () => {})`
const leaks = `test('leaks', () => { setInterval(() => {}, 1000) })`
const waits = `test('waits', { timeout: 200 }, () => new Promise(() => {}))`
const quits = `test('quits', () => process.exit(0))`

test('good tests are counted', async () => {
  assert.deepEqual(await outcome({ a: good, b: `${good}\n${good}` }), { passed: 3, failed: 0 })
})

test('a failed test fails the stage', async () => {
  assert.deepEqual(await outcome({ a: good, b: bad }), { passed: 1, failed: 1, fault: '1 failed' })
})

test('a test that is skipped or put off fails the stage', async () => {
  const { fault } = await outcome({ a: good, b: leftOut, c: putOff })
  assert.equal(fault, '2 skipped or put off')
})

test('a file without a test fails the stage', async () => {
  const { passed, fault } = await outcome({ a: good, b: '' })
  assert.equal(passed, 1)
  assert.match(fault ?? '', /^nothing ran to its end in \S*b\.test\.mts$/)
})

test('a test that leaves the process, even with status 0, fails the stage', async () => {
  const { fault } = await outcome({ a: good, b: `${good}\n${quits}` })
  assert.match(fault ?? '', /^nothing ran to its end in \S*b\.test\.mts$|^the run broke off: status 0$/)
})

test('a test that leaves a timer behind is given up', async () => {
  const { fault } = await outcome({ a: leaks })
  assert.match(fault ?? '', /nothing ran to its end in \S*a\.test\.mts$|^the run broke off: status 1$/)
})

test('a test that waits for ever is a failed one', async () => {
  const { failed, fault } = await outcome({ a: waits, b: good })
  assert.equal(failed, 1, fault)
})

test('the list of packages: one a line, # begins a comment', () => {
  assert.deepEqual(packageNames('# all\ncoturn  # a server\n\n iproute2\n'), ['coturn', 'iproute2'])
})

test('without dpkg nobody can say what is missing', () => {
  assert.equal(missingPackages(['coturn'], '/nowhere/dpkg-query'), undefined)
})
