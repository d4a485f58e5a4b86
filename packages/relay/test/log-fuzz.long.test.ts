/** Damaged logs: whatever is lost, no number is wrong. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { damagedText, damages, faults, log, places } from './log-damage.ts'
import { eight, recordsOf } from './log-world.ts'

const RUNS = 500
const pieces = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 20 })
test('[R40] a whole log, however it is cut into reads, comes to the true sums, all of them exact', () => {
  const property = fc.property(log, pieces, (one, sizes) => {
    const records = recordsOf(Buffer.from(one.lines.map((line) => `${line}\n`).join('')), sizes)
    assert.deepEqual(
      records.map(({ quality }) => quality),
      one.calls.map(() => 'exact'),
    )
    const sums = records.map(({ client, peer }) => eight(client, peer).join()).sort()
    assert.deepEqual(sums, one.calls.map((call) => call.sums.join()).sort())
  })
  fc.assert(property, { numRuns: RUNS })
})

for (const what of Object.keys(damages)) {
  test(`[R40] a line that ${what} makes no number wrong`, () => {
    const property = fc.property(log, places, pieces, (one, where, sizes) => {
      const text = damagedText(one, what, where)
      assert.deepEqual(faults(recordsOf(Buffer.from(text), sizes), one.calls), [], text)
    })
    fc.assert(property, { numRuns: RUNS })
  })
}

test('[R40] a log that ends anywhere makes no number wrong', () => {
  const property = fc.property(log, fc.nat(), pieces, (one, at, sizes) => {
    const whole = Buffer.from(one.lines.map((line) => `${line}\n`).join(''))
    assert.deepEqual(faults(recordsOf(whole.subarray(0, at % (whole.length + 1)), sizes), one.calls), [])
  })
  fc.assert(property, { numRuns: RUNS })
})
