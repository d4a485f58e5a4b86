import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Row, ratioOfSums, type Stratum, shares } from '../src/index.ts'

const whole: readonly Stratum[] = [{ total: 1 }]
const rowsOf = (...amounts: number[][]): Row[] => amounts.map((each) => ({ stratum: 0, amounts: each }))

/** Rows in 2 to 4 strata over 1 to 12 windows. */
const tables = fc
  .record({ windows: fc.integer({ min: 1, max: 12 }), strata: fc.integer({ min: 2, max: 4 }) })
  .chain(({ windows, strata }) => {
    const calls = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 9 })), {
      minLength: windows,
      maxLength: windows,
    })
    const row = fc.record({ stratum: fc.nat(strata - 1), calls, micros: fc.integer({ min: 1, max: 99 }) })
    const totals = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: strata, maxLength: strata })
    return fc.record({ totals, table: fc.array(row, { minLength: 1, maxLength: 8 }) })
  })
  .map(({ totals, table }) => ({
    strata: totals.map((total) => ({ total })),
    rows: table.map(({ stratum, calls, micros }) => ({
      stratum,
      amounts: calls.map((count, w) => count * micros * (1 + (w % 3))),
    })),
  }))

const near = (a: number, b: number) => a === b || Math.abs(a - b) < 1e-9
const assertSame = (found: ReturnType<typeof shares>, expected: ReturnType<typeof shares>) => {
  assert.equal(found?.length, expected?.length)
  for (const [i, { value, low, high }] of (found ?? []).entries()) {
    const other = expected![i]!
    assert.ok(near(value, other.value) && near(low, other.low) && near(high, other.high), `row ${i}`)
  }
}

const threeRows: Row[] = [
  { stratum: 0, amounts: [10, 20, 10, 20] },
  { stratum: 1, amounts: [100, 0, 100, 300] },
  { stratum: 1, amounts: [100, 300, 50, 50] },
]

test('[E8] where it is known what a stratum takes, only the division inside of it is estimated', () => {
  const found = shares([{ total: 60 }, { total: 20 }], threeRows)!
  assert.deepEqual(
    found.map(({ value }) => value),
    [0.75, 0.125, 0.125],
  )
  const [, ...inside] = threeRows.map(({ amounts }) => ({ stratum: 0, amounts }))
  for (const [i, { low, high }] of shares(whole, inside)!.entries()) {
    assert.ok(near(found[i + 1]!.low, low / 4) && near(found[i + 1]!.high, high / 4))
  }
  assert.equal(found[0]!.high, 0.75)
})

const [cpu, requests] = [
  [3, 5, 4, 6, 2, 4],
  [20, 18, 25, 16, 22, 19],
]
/** The logarithm of one sum over the other, without one window. */
const logRatio = (skip: number) => {
  const sum = (values: number[]) => values.reduce((all, value, w) => all + (w === skip ? 0 : value), 0)
  return Math.log(sum(cpu!) / sum(requests!))
}
const jackknife = Math.sqrt((5 / 6) * cpu!.reduce((sum, _, w) => sum + (logRatio(w) - logRatio(-1)) ** 2, 0))
/** These windows have no excess kurtosis, so that t has all their five degrees of freedom. */
const reach = 2.5705818356363 * jackknife

test('[E8] the interval is what leaving out one window does to the odds', () => {
  const [found] = shares(whole, rowsOf(cpu!, requests!))!
  const odds = (share: number) => Math.log(share / (1 - share)) - logRatio(-1)
  assert.ok(near(odds(found!.high), reach) && near(odds(found!.low), -reach))
})

test('[E8] where one window makes all the change its few degrees of freedom widen, not the number of windows', () => {
  const steady = new Array<number>(40).fill(10)
  const spike = steady.map((_, w) => (w === 7 ? 5 : 0))
  const [, rare] = shares(whole, rowsOf(steady, spike))!
  // One standard error is the value itself; t for two degrees of freedom is 4.3.
  assert.ok(rare!.low < rare!.value / 60 && rare!.high > rare!.value * 10, `${rare!.low} to ${rare!.high}`)
})

test('[E8] where one row is left without a window, rounding makes it no more than all', () => {
  // Without the second window the first row has 15 of 15, or of 14.999999999999998.
  const found = shares(whole, rowsOf([9.2, 7.4, 0.5, 5.3], [0, 0.2, 0, 0]))!
  for (const { low, value, high } of found) assert.ok(low < value && value < high, `${low} ${value} ${high}`)
})

test('[E1, E8] few windows, and one that has all, tell nothing of the ends', () => {
  assert.equal(shares([], []), undefined)
  assert.equal(shares([{ total: 0 }], rowsOf([1, 2, 3, 4])), undefined)
  for (const amounts of [
    [1, 2, 3],
    [0, 7, 0, 0, 0],
  ]) {
    const [first] = shares(whole, rowsOf(amounts, amounts))!
    assert.deepEqual(first, { value: 0.5, low: 0, high: 1, confidence: 0.95 })
  }
})

test('[E1, E8] few windows tell nothing of who is alone or was not seen either', () => {
  const [alone, unseen] = shares([{ total: 3 }], rowsOf([1, 2, 3], [0, 0, 0]))!
  assert.deepEqual([alone!.low, alone!.high, unseen!.low, unseen!.high], [0, 1, 0, 1])
})

/** Seen by seven of ten windows. */
const sevenOfTen = [4, 1, 0, 3, 0, 2, 2, 5, 1, 0]
const never = sevenOfTen.map(() => 0)
const missed = 1 - 0.05 ** (1 / 7)

test('[E9] what was not seen may be there, and who is alone may not be alone', () => {
  const rows: Row[] = [
    { stratum: 0, amounts: sevenOfTen },
    { stratum: 0, amounts: never },
    { stratum: 1, amounts: never },
  ]
  const [alone, unseen, dark] = shares([{ total: 3 }, { total: 7 }], rows)!
  assert.deepEqual([alone!.value, alone!.high], [0.3, 0.3])
  assert.ok(near(alone!.low, 0.3 * (1 - missed)))
  assert.deepEqual([unseen!.value, unseen!.low], [0, 0])
  assert.ok(near(unseen!.high, 0.3 * missed))
  assert.deepEqual(dark, { value: 0, low: 0, high: 0.7, confidence: 0.95 })
})

test('[E1, E8] shares lie in their intervals, between 0 and 1, and add up to 1; more confidence is wider', () => {
  fc.assert(
    fc.property(tables, ({ strata, rows }) => {
      const found = shares(strata, rows)!
      const wide = shares(strata, rows, 0.99)!
      for (const [i, { value, low, high }] of found.entries()) {
        assert.ok(0 <= low && low <= value && value <= high && high <= 1, `${low} ${value} ${high}`)
        assert.ok(wide[i]!.low <= low && high <= wide[i]!.high)
      }
      // What a stratum is known to take is nobody's when none of its rows was seen.
      const isSeen = (i: number) => rows.some(({ stratum, amounts }) => stratum === i && amounts.some(Boolean))
      const all = strata.reduce((sum, { total }) => sum + total, 0)
      const dark = strata.reduce((sum, { total }, i) => sum + (isSeen(i) ? 0 : total / all), 0)
      const sum = found.reduce((sum, { value }) => sum + value, dark)
      assert.ok(near(sum, 1), `${sum}`)
    }),
  )
})

test('[E3] the order of windows and rows, the unit of amounts and of totals do not matter', () => {
  fc.assert(
    fc.property(tables, ({ strata, rows }) => {
      const found = shares(strata, rows)
      const turned = rows.map(({ stratum, amounts }) => ({ stratum, amounts: amounts.toReversed() }))
      assertSame(shares(strata, turned), found)
      assertSame(shares(strata, rows.toReversed())?.toReversed(), found)
      const sevenfold = strata.map(({ total }) => ({ total: total * 7 }))
      const scaled = rows.map(({ stratum, amounts }) => ({ stratum, amounts: amounts.map((amount) => amount * 1000) }))
      assertSame(shares(sevenfold, scaled), found)
    }),
  )
})

test('[E7] one sum over another is what leaving out one window does to the ratio', () => {
  const found = ratioOfSums(cpu!, requests!)!
  assert.equal(found.value, 0.2)
  assert.ok(near(Math.log(found.high / 0.2), reach) && near(Math.log(found.low / 0.2), -reach))
})

test('[E1, E7] of no denominator nothing is told; few windows, and one that has all, tell nothing of the ends', () => {
  assert.equal(ratioOfSums([], []), undefined)
  assert.equal(ratioOfSums([1, 2, 3, 4], [0, 0, 0, 0]), undefined)
  const cases: [number[], number[], number][] = [
    [[1, 2, 3], [1, 1, 1], 2],
    [[0, 0, 0, 0], [1, 2, 3, 4], 0],
    [[1, 1, 1, 1], [0, 8, 0, 0], 0.5],
  ]
  for (const [above, below, value] of cases) {
    assert.deepEqual(ratioOfSums(above, below), { value, low: 0, high: Infinity, confidence: 0.95 })
  }
  assert.deepEqual(ratioOfSums([2, 4, 6, 8], [1, 2, 3, 4]), { value: 2, low: 2, high: 2, confidence: 0.95 })
})

test('[E7] what one window alone has seen may be next to nothing, and has an end where it may be more', () => {
  const once = Array.from({ length: 16 }, (_, w) => (w === 5 ? 0.012 : 0))
  const half = once.map(() => 0.5)
  const { value, low, high } = ratioOfSums(once, half)!
  assert.ok(near(value, 0.0015))
  assert.equal(low, 0)
  // One standard error is the value itself; t for two degrees of freedom is 4.3.
  assert.ok(high > 65 * value && high < 80 * value, `${high / value}`)
  const [share] = shares(whole, rowsOf(once, half))!
  assert.ok(Math.abs(high / value - share!.high / share!.value) < 10, `${share!.high / share!.value}`)
})

test('[E2] windows that cannot be are refused', () => {
  const rows = rowsOf([1, 2])
  assert.throws(() => shares(whole, rowsOf([1, 2], [1])), /windows of row 1: 1 and 2 values/)
  assert.throws(() => shares(whole, rowsOf([1, 2], [1, -2])), /row 1: value 1, -2, is no amount/)
  assert.throws(() => shares(whole, [{ stratum: 1, amounts: [1, 2] }]), /row 0: there is no stratum 1/)
  assert.throws(() => shares([{ total: Number.NaN }], rows), /totals of strata: value 0, NaN, is no amount/)
  assert.throws(() => shares(whole, rows, 2), /between 0 and 1/)
  assert.throws(() => ratioOfSums([1], [1, 2]), /windows: 1 and 2 values/)
  assert.throws(() => ratioOfSums([-1], [1]), /numerator: value 0, -1, is no amount/)
  assert.throws(() => ratioOfSums([1], [Number.NaN]), /denominator: value 0, NaN, is no amount/)
})
