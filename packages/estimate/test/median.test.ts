import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { median } from '../src/index.ts'

const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 60 })
const confidences = fc.constantFrom(0.5, 0.8, 0.9, 0.95, 0.99)

test('[E1, E4] the median of no value is undefined, of few values nothing is known of the ends', () => {
  assert.equal(median([]), undefined)
  assert.deepEqual(median([3]), { value: 3, low: -Infinity, high: Infinity, confidence: 0.95 })
  for (const [confidence, fewest] of [
    [0.95, 6],
    [0.9, 5],
    [0.7, 3],
  ] as const) {
    const few = Array.from({ length: fewest - 1 }, (_, i) => i)
    assert.equal(median(few, confidence)!.high, Infinity)
    const enough = median([...few, fewest], confidence)!
    assert.ok(enough.low >= 0 && enough.high <= fewest, `${enough.low} to ${enough.high}`)
  }
})

test('[E4] the ends lie between the ranks that a coin tells', () => {
  // Of 10 values the 2nd and 9th hold the median with 97.85 %, the 3rd and 8th with 89.06 %.
  const found = median(Array.from({ length: 10 }, (_, i) => i + 1))!
  const spare = (0.978515625 - 0.95) / (0.978515625 - 0.890625)
  const inwards = (8 * spare) / (2 + 6 * spare)
  assert.equal(found.value, 5.5)
  assert.ok(Math.abs(found.low - (2 + inwards)) < 1e-9 && Math.abs(found.high - (9 - inwards)) < 1e-9)
  assert.deepEqual(median([7, 7, 7, 7, 7, 7, 7]), { value: 7, low: 7, high: 7, confidence: 0.95 })
})

test('[E1, E3] the median is in its interval, whatever the order; more confidence is wider', () => {
  fc.assert(
    fc.property(values, confidences, confidences, (list, one, other) => {
      const found = median(list, one)!
      assert.ok(found.low <= found.value && found.value <= found.high)
      assert.deepEqual(median(list.toReversed(), one), found)
      const narrow = median(list, Math.min(one, other))!
      const wide = median(list, Math.max(one, other))!
      assert.ok(wide.low <= narrow.low && narrow.high <= wide.high)
    }),
  )
})

test('[E2] the median refuses what is no number', () => {
  assert.throws(() => median([1, Number.NaN]), /median: value 1, NaN, is not finite/)
  assert.throws(() => median([Infinity]), /is not finite/)
  for (const confidence of [0, 1, Number.NaN]) assert.throws(() => median([1], confidence), /between 0 and 1/)
})
