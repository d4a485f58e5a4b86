import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Files, type Rule, readProject } from './project.ts'
import { rules } from './rules.ts'
import { scan } from './source.ts'
import { plants, sound } from './violations.ts'

const project = readProject(fileURLToPath(new URL('../..', import.meta.url)))

for (const rule of rules) {
  test(`house rule: ${rule.name}`, () => {
    assert.deepEqual(rule.faults(project), [])
  })
}

test('the reader of sources keeps its way through every file of ours: brackets pair up in what it calls code', () => {
  for (const [path, text] of project) {
    if (!path.endsWith('.ts')) continue
    const { code } = scan(text)
    for (const [open, close] of ['()', '[]', '{}']) {
      assert.equal(code.split(open!).length, code.split(close!).length, `${open} ${close} in ${path}`)
    }
  }
})

// A rule that cannot fail holds nothing: each has to find what is planted, and only that.

test('a small sound project has no faults', () => {
  for (const rule of rules) assert.deepEqual(rule.faults(sound), [], rule.name)
})

test('every rule has a violation planted', () => {
  const planted = new Set<Rule>(plants.map(({ rule }) => rule))
  assert.deepEqual(
    rules.filter((rule) => !planted.has(rule)).map(({ name }) => name),
    [],
  )
})

for (const { rule, because, files, faults } of plants) {
  test(`planted: ${because}`, () => {
    const changed: Files = new Map([...sound, ...Object.entries(files)])
    assert.deepEqual(rule.faults(changed), faults)
  })
}
