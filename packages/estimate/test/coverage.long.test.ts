import { test } from 'node:test'
import { assertCoverage } from './coverage.ts'
import {
  type Known,
  loads,
  logins,
  spreads,
  tellLogins,
  tellLooks,
  tellMedian,
  tellPairs,
  tellRatio,
  tellShares,
  values,
} from './situations.ts'

/** Fewer rounds for each situation than in the quick test, so that chance alone makes up to four points. */
const slack = { below: 4, above: 6 }

const names = <T extends object>(of: T) => Object.keys(of) as (keyof T)[]

for (const load of names(loads)) {
  test(`[E9] shares hold what they say: ${load} windows`, () => {
    for (const known of ['nothing', 'calls', 'time'] satisfies Known[]) {
      for (const windows of [8, 20, 40]) {
        const situation = `${windows} ${load} windows, ${known} known`
        assertCoverage(situation, 800, tellShares(windows, loads[load], known), slack)
      }
    }
  })
}

test('[E8] one sum over another holds what it says', () => {
  for (const load of names(loads)) {
    for (const windows of [8, 12, 20, 40, 60]) {
      assertCoverage(`${windows} ${load} windows`, 800, tellRatio(windows, loads[load]), slack)
    }
  }
})

test('[E4] the median holds what it says, whatever the distribution', () => {
  for (const drawn of names(values)) {
    // Fewer than 6 tell nothing with a confidence of 0.95.
    for (const count of [6, 7, 10, 25, 200])
      assertCoverage(`${count} values, ${drawn}`, 2000, tellMedian(drawn, count), slack)
  }
})

test('[E5] three to ten logins hold what they say', () => {
  for (const login of names(logins)) {
    for (const count of [3, 4, 5, 6, 7, 8, 9, 10]) {
      assertCoverage(`${count} logins, ${login}`, 1200, tellLogins(login, count), slack)
    }
  }
})

for (const spread of names(spreads)) {
  test(`[E6] pairs whose neighbours depend on each other hold what they say: ${spread}`, () => {
    for (const correlation of [0, 0.3, 0.6]) {
      for (const pairs of [10, 15, 16, 30, 60, 150]) {
        const draw = tellPairs(spread, pairs, correlation, 'dependent')
        assertCoverage(`${pairs} pairs, ${spread}, correlation ${correlation}`, 800, draw, slack)
      }
    }
  })
}

test('[E7] whoever stops as soon as a ratio is known within 3 % has an interval that holds what it says', () => {
  for (const correlation of [0, 0.3, 0.6]) {
    for (const sigma of [0.05, 0.1]) {
      assertCoverage(`sigma ${sigma}, correlation ${correlation}`, 400, tellLooks(sigma, correlation), slack)
    }
  }
})
