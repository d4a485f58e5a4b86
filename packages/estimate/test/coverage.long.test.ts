import { test } from 'node:test'
import { assertCoverage } from './coverage.ts'
import {
  lasting,
  loads,
  logins,
  spreads,
  tellLogins,
  tellLooks,
  tellPairs,
  tellRatio,
  tellShares,
} from './situations.ts'

/** Skewed and rounded values are held more often. */
const slack = { below: 3, above: 6 }

const names = <T extends object>(of: T) => Object.keys(of) as (keyof T)[]

for (const load of names(loads)) {
  test(`[E8] shares hold what they say, row by row: ${load} windows`, () => {
    for (const windows of load === 'rarely bursty' ? [60, 150] : [15, 30, 60, 150]) {
      const draw = tellShares(windows, loads[load], 4, 'row')
      assertCoverage(`${windows} ${load} windows`, 400, draw, { below: 3, above: 5, confidences: [0.95] })
    }
  })
}

test('[E8] shares of 320 rows in 40 commands hold what they say', () => {
  for (const load of names(loads)) {
    for (const windows of [30, 150]) {
      const draw = tellShares(windows, loads[load], 40, 'windows')
      assertCoverage(`${windows} ${load} windows`, 30, draw, { below: 3, above: 5, confidences: [0.95] })
    }
  }
})

test('[E8] few windows that miss bursts hold less, as the README says', () => {
  for (const [windows, load, below] of [
    [4, 'even', 7],
    [4, 'heavy', 7],
    [4, 'bursty', 12],
    [8, 'bursty', 7],
    [15, 'rarely bursty', 18],
    [30, 'rarely bursty', 7],
  ] as const) {
    const draw = tellShares(windows, loads[load], 4, 'row')
    assertCoverage(`${windows} ${load} windows`, 400, draw, { below, above: 5, untold: 0.25, confidences: [0.95] })
  }
})

test('[E8] bursts that outlast windows hold less, as the README says, and more where neighbours are added together', () => {
  for (const [windows, inOne, below] of [
    [2, 1, 7],
    [2, 5, 3],
    [5, 1, 24],
    [5, 10, 7],
  ] as const) {
    const draw = tellShares(150, lasting(windows), 4, 'row', inOne)
    const situation = `150 windows, ${inOne} in one, bursts of ${windows}`
    assertCoverage(situation, 400, draw, { below, above: 5, confidences: [0.95] })
  }
})

test('[E7] one sum over another holds what it says', () => {
  for (const load of names(loads)) {
    for (const windows of [8, 12, 20, 40, 60]) {
      assertCoverage(`${windows} ${load} windows`, 800, tellRatio(windows, loads[load]), slack)
    }
  }
})

test('[E4] three to ten logins hold what they say', () => {
  for (const login of names(logins)) {
    for (const count of [3, 4, 5, 6, 7, 8, 9, 10]) {
      assertCoverage(`${count} logins, ${login}`, 1200, tellLogins(login, count), slack)
    }
  }
})

for (const spread of names(spreads)) {
  test(`[E5] pairs whose neighbours depend on each other hold what they say: ${spread}`, () => {
    for (const correlation of [0, 0.3, 0.6]) {
      for (const pairs of [10, 15, 16, 30, 60, 150]) {
        const draw = tellPairs(spread, pairs, correlation, 'dependent')
        assertCoverage(`${pairs} pairs, ${spread}, correlation ${correlation}`, 800, draw, slack)
      }
    }
  })
}

test('[E6] whoever stops as soon as a ratio is known within 3 % has an interval that holds what it says', () => {
  for (const correlation of [0, 0.3, 0.6]) {
    for (const sigma of [0.05, 0.1]) {
      assertCoverage(`sigma ${sigma}, correlation ${correlation}`, 400, tellLooks(sigma, correlation), slack)
    }
  }
})
