import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { difference, type Interval, noiseBand, position } from '../src/index.ts'

const told = (value: number, low: number, high: number, confidence = 0.95): Interval => ({
  value,
  low,
  high,
  confidence,
})
const ends = ({ low, high }: { low: number; high: number }) => [low, high]

const intervals = fc
  .tuple(fc.integer({ min: -1000, max: 1000 }), fc.nat(1000), fc.nat(1000))
  .map(([value, below, above]) => told(value, value - below, value + above))

test('[E10] the difference takes the ends that lie against each other, square and add', () => {
  assert.deepEqual(difference(told(10, 7, 14), told(2, -1, 6)), told(8, 3, 13))
  assert.deepEqual(difference(told(10, 10, 13), told(2, -2, 2)), told(8, 8, 13))
})

test('[E10] a difference turned round is the same from the other side', () => {
  fc.assert(
    fc.property(intervals, intervals, (a, b) => {
      const [there, back] = [difference(a, b), difference(b, a)]
      assert.deepEqual(
        [there.value, there.low, there.high].map((end) => -end + 0),
        [back.value, back.high, back.low].map((end) => end + 0),
      )
      assert.ok(there.low <= there.value && there.value <= there.high)
      // It is as wide as the wider of the two, and no wider than both together.
      const [wide, wa, wb] = [there, a, b].map(({ low, high }) => high - low) as [number, number, number]
      assert.ok(wide >= Math.max(wa, wb) / Math.SQRT2 - 1e-9 && wide <= wa + wb + 1e-9)
    }),
  )
})

test('[E10] what is unknown of one is unknown of the difference, on that side', () => {
  assert.deepEqual(ends(difference(told(1, -Infinity, 2), told(0, -1, 1))), [-Infinity, 1 + Math.SQRT2])
  assert.deepEqual(ends(difference(told(1, 0, 2), told(0, -Infinity, 1))), [1 - Math.SQRT2, Infinity])
})

test('[E2] intervals of different confidence are not compared', () => {
  assert.throws(() => difference(told(1, 0, 2), told(1, 0, 2, 0.9)), /confidences differ: 0.95 and 0.9/)
})

test('[E11] the band of noise is as wide to both sides as A against A was far off', () => {
  assert.deepEqual(noiseBand(told(1, -2, 5), 0), { low: -5, high: 5 })
  assert.deepEqual(noiseBand(told(-1, -5, 2), 0), { low: -5, high: 5 })
  assert.deepEqual(noiseBand(told(1, 0.8, 1.1), 1), { low: 0.8, high: 1.25 })
  assert.deepEqual(noiseBand(told(1, 0.9, 2), 1), { low: 0.5, high: 2 })
})

test('[E11] an interval lies above, below or within as a whole, or it is unclear', () => {
  const band = { low: -1, high: 1 }
  assert.equal(position(told(3, 1.5, 4), band), 'above')
  assert.equal(position(told(-3, -4, -1.5), band), 'below')
  assert.equal(position(told(0, -1, 1), band), 'within')
  for (const [low, high] of [
    [1, 4],
    [-4, -1],
    [-2, 2],
    [0, 3],
    [-Infinity, Infinity],
  ] as const) {
    assert.equal(position({ low, high }, band), 'unclear', `${low} to ${high}`)
  }
  assert.equal(position({ low: 2, high: Infinity }, band), 'above')
})

test('[E11] a band without an end tells nothing', () => {
  for (const none of [0, 1] as const) {
    const band = noiseBand(told(none, none === 0 ? -Infinity : 0, Infinity), none)
    assert.equal(position(told(2, 1.9, 2.1), band), 'unclear')
  }
})
