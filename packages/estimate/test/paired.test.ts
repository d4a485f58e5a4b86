import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Interval, lookAtRatio, type Neighbours, pairedDifference, pairedRatio } from '../src/index.ts'

const pairs = fc.array(fc.tuple(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 50 })), {
  minLength: 1,
  maxLength: 40,
})
const neighbours = fc.constantFrom<Neighbours>('independent', 'dependent')

const zeros = (length: number) => new Array<number>(length).fill(0)
const changes = (values: readonly number[], how: Neighbours = 'independent', confidence?: number) =>
  pairedDifference(zeros(values.length), values, how, confidence)!

const columns = (list: readonly (readonly [number, number])[]) =>
  [list.map(([before]) => before), list.map(([, after]) => after)] as const

function assertNear(found: Interval, { value, low, high }: Interval, scale = 1): void {
  const near = (a: number, b: number) => a === b || Math.abs(a - b) <= 1e-9 * (Math.abs(b) + scale)
  const words = `${[found.value, found.low, found.high]} and not ${[value, low, high]}`
  assert.ok(near(found.value, value) && near(found.low, low) && near(found.high, high), words)
}

test('[E1, E4] of no pair nothing is told, of one pair nothing but its difference', () => {
  assert.equal(pairedDifference([], [], 'independent'), undefined)
  assert.equal(pairedRatio([], [], 'dependent'), undefined)
  assert.deepEqual(pairedDifference([3], [5], 'independent'), {
    value: 2,
    low: -Infinity,
    high: Infinity,
    confidence: 0.95,
  })
  const ratio = pairedRatio([2], [3], 'independent')!
  assertNear(ratio, { value: 1.5, low: 0, high: Infinity, confidence: 0.95 })
})

test('[E4] without outliers it is the mean with Student’s t', () => {
  // Mean 3, standard deviation sqrt(2.5), five values; t for 4 degrees of freedom is 2.776445.
  const half = 2.7764451051977987 * Math.sqrt(2.5 / 5)
  assertNear(changes([1, 2, 3, 4, 5]), { value: 3, low: 3 - half, high: 3 + half, confidence: 0.95 })
  const two = 12.706204736174698 // standard error 1
  assertNear(changes([4, 6]), { value: 5, low: 5 - two, high: 5 + two, confidence: 0.95 })
})

test('[E4] a pair that is far off counts as one at the edge, however far off it is', () => {
  const steady = [2.1, 1.9, 2, 2.2, 1.8, 2.05, 1.95]
  const near = changes([...steady, 4])
  assertNear(changes([...steady, 1e6]), near)
  assert.ok(near.low > 1.7 && near.high < 2.4, `${near.low} to ${near.high}`)
})

test('[E4] where more than half are equal all count in full; equal pairs have equal ends', () => {
  assertNear(changes([2, 2, 2, 2, 9]), { ...changes([2, 2, 2, 2, 9]), value: 3.4 })
  assert.ok(changes([2, 2, 2, 2, 9]).high > 6)
  assert.deepEqual(changes([2, 2, 2]), { value: 2, low: 2, high: 2, confidence: 0.95 })
})

test('[E4] what rounding alone sets apart is equal, beside large amounts too, and what is little apart is not', () => {
  const [before, after] = columns([
    [0.1, 0.3], // 0.19999999999999998
    [1e6, 1e6 + 0.2], // 0.19999999995343387
    [0, 0.2],
    [1, 3],
  ])
  const expected = changes([0.2, 0.2, 0.2, 2])
  assert.ok(expected.high > 2)
  assertNear(pairedDifference(before, after, 'independent')!, expected)
  // However far off one is it makes nothing of the others equal.
  const far = pairedDifference(zeros(5), [2, 2.1, 1.9, 2.05, 1e14], 'independent')!
  assert.ok(far.high < 3, `${far.high}`)
  const near = changes([1, 1 + 1e-12, 1 - 1e-12, 1.5])
  assert.ok(near.high - 1 < 1e-11, `${near.high}`)
})

test('[E5] fewer than ten dependent pairs tell nothing, ten are wide, and slow change is wider than quick change', () => {
  const quick = Array.from({ length: 40 }, (_, i) => (i % 2) - 0.5)
  const slow = quick.toSorted()
  assert.equal(changes(quick.slice(0, 9), 'dependent').high, Infinity)
  assert.ok(changes([...quick.slice(0, 9), 0.4], 'dependent').high < Infinity)
  const width = ({ low, high }: Interval) => high - low
  assert.ok(width(changes(slow, 'dependent')) > 10 * width(changes(quick, 'dependent')))
  assertNear(changes(slow), changes(quick))
})

test('[E1] the value is in its interval, and more confidence is wider', () => {
  fc.assert(
    fc.property(pairs, neighbours, fc.constantFrom(pairedDifference, pairedRatio), (list, how, tell) => {
      const [a, b] = columns(list)
      const found = tell(a, b, how)!
      assert.ok(found.low <= found.value && found.value <= found.high)
      const wide = tell(a, b, how, 0.99)!
      assert.ok(wide.low <= found.low && found.high <= wide.high)
    }),
  )
})

/** Two of three differences are equal, but 0.066 - 0.022 is not 0.044. */
const differentByRounding: [number, number][] = [
  [0, 1],
  [22, 22],
  [0, 0],
]

test('[E3, E5] unit and zero point do not matter, nor which of the two comes first, nor what need not', () => {
  const scales = fc.constantFrom(0.001, 0.5, 1, 3, 1000)
  fc.assert(
    fc.property(pairs, neighbours, scales, fc.integer({ min: -100, max: 100 }), (list, how, scale, shift) => {
      const [a, b] = columns(list)
      const found = pairedDifference(a, b, how)!
      const moved = b.map((one) => (one + shift) * scale)
      const scaled = a.map((one) => one * scale)
      const [value, low, high] = [found.value, found.low, found.high].map((end) => (end + shift) * scale)
      const expected = { ...found, value: value!, low: low!, high: high! }
      assertNear(pairedDifference(scaled, moved, how)!, expected, 100 * scale)
      const back = pairedDifference(b, a, how)!
      assertNear({ ...back, value: -back.value, low: -back.high, high: -back.low }, found, 100)
      assertNear(pairedDifference(a.toReversed(), b.toReversed(), how)!, found, 100)
      const [x, y] = columns(list.toSorted(([one], [other]) => one - other))
      if (how === 'independent') assertNear(pairedDifference(x, y, how)!, found, 100)
    }),
    { examples: [[differentByRounding, 'independent', 0.001, 44]] },
  )
})

/** Two of three ratios are equal, but the logarithms of 24 and 6 are not as far apart as those of 8 and 2. */
const equalButForRounding: [number, number][] = [
  [1, 2],
  [1, 1],
  [3, 3],
]

test('[E3, E4] a ratio turned round is its inverse, and two units are two factors', () => {
  const amounts = fc.array(fc.tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 50 })), { minLength: 2 })
  fc.assert(
    fc.property(amounts, neighbours, (list, how) => {
      const [a, b] = columns(list)
      const found = pairedRatio(a, b, how)!
      const back = pairedRatio(b, a, how)!
      assertNear({ ...back, value: 1 / back.value, low: 1 / back.high, high: 1 / back.low }, found)
      const other = pairedRatio(
        a.map((one) => one * 8),
        b.map((one) => one * 2),
        how,
      )!
      assertNear({ ...other, value: other.value * 4, low: other.low * 4, high: other.high * 4 }, found)
    }),
    { examples: [[equalButForRounding, 'independent']] },
  )
})

test('[E4] a standstill is one pair that is far off', () => {
  const before = [100, 101, 99, 100, 102, 98, 100]
  const after = before.map((rate) => rate * 1.2 + 1)
  const found = pairedRatio([...before, 100], [...after, 0], 'independent')!
  assertNear(found, pairedRatio([...before, 1e6], [...after, 1], 'independent')!)
  assert.ok(found.low > 1.15 && found.high < 1.25, `${found.low} to ${found.high}`)
  assertNear(pairedRatio([0, 0], [0, 0], 'independent')!, { value: 1, low: 1, high: 1, confidence: 0.95 })
})

test('[E6] only certain looks end it, and only when both ends are near enough', () => {
  const ends: number[] = []
  for (let n = 1; n <= 160; n++) {
    const ones = new Array<number>(n).fill(1)
    const { enough, next } = lookAtRatio(ones, ones, 0.03)
    if (enough) ends.push(n)
    assert.ok(next > n)
  }
  assert.deepEqual(ends, [30, 45, 68, 102, 153])
  const ones = new Array<number>(45).fill(1)
  const noisy = ones.map((_, i) => 1 + 0.5 * Math.sin(i * i))
  const { ratio, enough, next } = lookAtRatio(ones, noisy, 0.03)
  assert.deepEqual([enough, next, ratio!.confidence], [false, 68, 0.95])
  const wanted = Math.max(ratio!.high / ratio!.value, ratio!.value / ratio!.low) - 1
  assert.equal(lookAtRatio(ones, noisy, wanted * 1.001).enough, true)
  assert.equal(lookAtRatio(ones, noisy, wanted * 0.999).enough, false)
  // The interval has half the errors that it is told with.
  assertNear(ratio!, { ...pairedRatio(ones, noisy, 'dependent', 0.975)!, confidence: 0.95 })
  assert.deepEqual(lookAtRatio([], [], 0.03), { ratio: undefined, enough: false, next: 30 })
})

test('[E2] pairs that cannot be are refused', () => {
  assert.throws(() => pairedDifference([1, 2], [1], 'independent'), /pairs: 2 and 1 values/)
  assert.throws(() => pairedDifference([1, Number.NaN], [1, 2], 'independent'), /before: value 1, NaN, is not finite/)
  assert.throws(() => pairedDifference([1, 2], [Infinity, 2], 'dependent'), /after: value 0, Infinity, is not finite/)
  assert.throws(() => pairedRatio([1, 2], [1, -2], 'dependent'), /after: value 1, -2, is no amount/)
  assert.throws(() => pairedRatio([1], [1], 'dependent', 1), /between 0 and 1/)
  for (const within of [0, -1, Number.NaN, Infinity]) {
    assert.throws(() => lookAtRatio([1], [1], within), /wanted distance/)
  }
})
