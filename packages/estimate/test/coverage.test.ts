import assert from 'node:assert/strict'
import { test } from 'node:test'
import { difference, noiseBand, pairedDifference, pairedRatio, position, ratioOfSums, shares } from '../src/index.ts'
import { type Chance, chance, series, uneven } from './chance.ts'
import { assertCoverage, type Round } from './coverage.ts'
import { loads, tellLogins, tellLooks, tellPairs, tellRatio, tellShares } from './situations.ts'

const names = Object.keys(loads) as (keyof typeof loads)[]

for (const load of names) {
  test(`[E8] shares hold what they say: ${load} windows`, () => {
    // Rows that few windows have seen are as uncertain as the worst of them, and hold it more often.
    const slack = { below: 3, above: 5, confidences: [0.95] }
    for (const windows of load === 'rarely bursty' ? [60, 150] : [30, 150]) {
      assertCoverage(`${windows} ${load} windows`, 80, tellShares(windows, loads[load], 4, 'windows'), slack)
    }
  })
}

test('[E8] shares of rows that most windows see are not wider than need be', () => {
  for (const load of ['even', 'uneven', 'heavy'] as const) {
    for (const windows of [15, 60]) {
      const draw = tellShares(windows, loads[load], 2, 'row')
      const often = (next: Chance): Round => {
        const tell = draw(next)
        return (confidence) => tell(confidence).slice(0, 2)
      }
      assertCoverage(`${windows} ${load} windows`, 250, often, { below: 2.5, above: 5 })
    }
  }
})

test('[E9] a row that may have a companion which is seen in few windows holds it, seen or not', () => {
  // One window in ten has the companion, which then takes all of the stratum: its share is a tenth.
  const draw = (next: Chance): Round => {
    const [often, rare] = [new Float64Array(12), new Float64Array(12)]
    for (let w = 0; w < 12; w++) (next() < 0.1 ? rare : often)[w] = uneven(next, 0.5)
    const rows = [often, rare].map((amounts) => ({ stratum: 0, amounts }))
    return (confidence) =>
      shares([{ total: 1 }], rows, confidence)!.map((interval, k) => ({ interval, truth: k === 0 ? 0.9 : 0.1 }))
  }
  assertCoverage('rare companion', 2000, draw, { above: 8 })
})

test('[E7] one sum over another holds what it says', () => {
  for (const windows of [8, 20, 60]) assertCoverage(`${windows} windows`, 1000, tellRatio(windows, loads.uneven))
})

test('[E7] what is counted once and comes more often than that is rarely more than was said', () => {
  let [told, held] = [0, 0]
  for (let round = 0; round < 8000; round++) {
    const next = chance(round)
    const expected = [0.3, 1, 3][round % 3]!
    const blocked = Array.from({ length: 16 }, () => (next() < expected / 16 ? uneven(next, 1) : 0))
    if (blocked.filter(Boolean).length !== 1) continue
    told += 1
    const ones = blocked.map(() => 1)
    if (expected / 16 <= ratioOfSums(blocked, ones)!.high) held += 1
  }
  assert.ok(told > 1500 && held >= 0.97 * told, `${held} of ${told}`)
})

test('[E4] three to ten logins hold what they say, with stalls and skewed waits', () => {
  for (const count of [3, 4, 6, 10]) {
    for (const login of ['slow and skewed', 'stalls, 5 of 100'] as const) {
      assertCoverage(`${count} logins, ${login}`, 1500, tellLogins(login, count), { above: 4 })
    }
  }
})

test('[E4] what can be told is told: two seconds among tenths of a second and stalls', () => {
  for (const [count, least] of [
    [3, 70],
    [4, 90],
    [6, 97],
    [10, 99],
  ] as const) {
    let told = 0
    for (let round = 0; round < 500; round++) {
      const [login] = tellLogins('stalls, 5 of 100', count)(chance(round))(0.95)
      if (login!.interval.high < 0) told += 1
    }
    assert.ok(told >= least * 5, `${count} logins: ${told / 5} of 100 told`)
  }
})

test('[E5] pairs whose neighbours depend on each other hold what they say', () => {
  for (const correlation of [0, 0.3, 0.6]) {
    for (const pairs of [10, 20, 36]) {
      const draw = tellPairs('stalls', pairs, correlation, 'dependent')
      assertCoverage(`${pairs} pairs, correlation ${correlation}`, 1000, draw)
    }
  }
})

test('[E6] whoever stops as soon as a ratio is known within 3 % has an interval that holds what it says', () => {
  for (const correlation of [0, 0.6]) {
    assertCoverage(`correlation ${correlation}`, 400, tellLooks(0.05, correlation), { above: 7 })
  }
})

test('[E10] the difference of two intervals that were measured apart holds what they hold', () => {
  const draw = (next: Chance): Round => {
    const [small, large] = [30, 60].map((windows) => tellShares(windows, loads.uneven, 1, 'row')(next))
    const pair = (count: number, spread: number) => {
      const after = series(next, count, 0).map((one) => one * spread)
      return (confidence: number) =>
        pairedDifference(
          after.map(() => 0),
          after,
          'independent',
          confidence,
        )!
    }
    const [few, many] = [pair(5, 3), pair(12, 1)]
    return (confidence) => {
      const [a, b] = [small!(confidence), large!(confidence)]
      return [
        { about: 'a large share', interval: difference(a[0]!.interval, b[0]!.interval), truth: 0 },
        { about: 'a small share', interval: difference(a[2]!.interval, b[2]!.interval), truth: 0 },
        { about: 'pairs', interval: difference(few(confidence), many(confidence)), truth: 0 },
      ]
    }
  }
  assertCoverage('apart', 400, draw, { above: 6 })
})

test('[E11] where A and B are the same fewer than 1 in 100 are called different, and a difference is seen', () => {
  const found = new Map<string, number>()
  for (let round = 0; round < 500; round++) {
    const next = chance(round)
    const before = new Float64Array(36).fill(1)
    const ratio = (times: number) =>
      pairedRatio(
        before,
        series(next, 36, 0.3).map((one) => times * Math.exp(0.1 * one)),
        'dependent',
      )!
    const band = noiseBand(ratio(1), 1)
    for (const times of [1, 1.4]) {
      const seen = `${times} ${position(ratio(times), band)}`
      found.set(seen, (found.get(seen) ?? 0) + 1)
    }
  }
  const different = (found.get('1 above') ?? 0) + (found.get('1 below') ?? 0)
  assert.ok(different < 5, `${different} of 500 called different`)
  assert.ok(found.get('1 within')! > 150, `${found.get('1 within')} of 500 called the same`)
  assert.ok(found.get('1.4 above')! > 450, `${found.get('1.4 above')} of 500 seen`)
})

test('[E3] more data narrows in the mean, by half for four times as much', () => {
  const meanWidth = (draw: (next: Chance) => Round, about = 0) => {
    let sum = 0
    for (let round = 0; round < 200; round++) {
      const { low, high } = draw(chance(round))(0.9)[about]!.interval
      sum += (high - low) / 200
    }
    return sum
  }
  const narrowing: Readonly<Record<string, (count: number) => number>> = {
    shares: (count) => meanWidth(tellShares(count, loads.uneven, 1, 'row')),
    'one sum over another': (count) => meanWidth(tellRatio(count, loads.uneven)),
    'independent pairs': (count) => meanWidth(tellPairs('normal', count, 0, 'independent')),
    'dependent pairs': (count) => meanWidth(tellPairs('normal', count, 0.3, 'dependent')),
  }
  for (const [what, width] of Object.entries(narrowing)) {
    const ratio = width(60) / width(15)
    assert.ok(ratio > 0.1 && ratio < 0.6, `${what}: ${ratio}`)
  }
})
