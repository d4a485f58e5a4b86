/** Recorded outputs and what must be said of them: `cases/*.case`. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { reportText } from '@fettle/report'
import { learnFrom, noFacts } from '../src/core/facts.ts'
import { explained } from '../src/explain.ts'

const folder = fileURLToPath(new URL('../cases', import.meta.url))
const WIDTH = 100

/** A title with the rules that it holds, what was pasted, and the report; parted by lines of `---`. */
for (const file of globSync('*.case', { cwd: folder }).sort()) {
  const [title = '', pasted = '', ...expected] = readFileSync(`${folder}/${file}`, 'utf8').split(/^---\n/m)
  test(`${title.trim()} (${basename(file, '.case')})`, () => {
    const facts = learnFrom(noFacts, pasted)
    assert.ok(facts, 'nothing was recognised')
    assert.equal(reportText(explained(facts, basename(file)), WIDTH), expected.join('---\n').trimStart())
  })
}
