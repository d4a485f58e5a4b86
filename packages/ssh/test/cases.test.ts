/** Recorded logs and what must be said of them: `cases/*.case`. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reportText } from '@fettle/report'
import { readLog } from '../src/core/log.ts'
import { explained } from '../src/explain.ts'
import { cases } from './recordings.ts'

const WIDTH = 100

for (const { name, title, log, report } of cases) {
  test(`${title} (${name})`, () => {
    const read = readLog(log)
    assert.ok(read, 'nothing was recognised')
    assert.equal(reportText(explained(read, `${name}.case`), WIDTH), report)
  })
}
