/** The middle of a heap of values, whatever their distribution. */
import { assertConfidence, assertFinite } from './assert.ts'
import type { Interval } from './interval.ts'
import { coinTail } from './student.ts'

/**
 * The median of values that are independent of each other, in any order: half of all further values lie below it. Nothing
 * is assumed of their distribution but that ties are few; with many of them the interval holds the truth more often.
 *
 * No value: undefined. Too few (under 6 for 0.95, under 5 for 0.9): not even the least and the greatest value are sure
 * enough to stand around the median, and the ends are infinite. Anything not finite is refused.
 *
 * The values at two ranks hold the median with a chance that a coin tells; between the two pairs of ranks that are next to
 * the confidence the ends are interpolated: T. P. Hettmansperger and S. J. Sheather, Statistics and Probability Letters 4
 * (1986), 75-79.
 */
export function median(values: ArrayLike<number>, confidence = 0.95): Interval | undefined {
  assertConfidence(confidence)
  assertFinite(values, 'median')
  const n = values.length
  if (n === 0) return undefined
  const sorted = Float64Array.from(values).sort()
  const value = middleOf(sorted)
  /** How sure it is that the median lies between the values at this rank, from 0, from either end. */
  const surety = (rank: number) => 1 - 2 * coinTail(n, rank)
  if (surety(0) < confidence) return { value, low: -Infinity, high: Infinity, confidence }
  let rank = 0 // the innermost that is sure enough
  let beyond = Math.ceil(n / 2) // not sure enough
  while (beyond - rank > 1) {
    const between = (rank + beyond) >> 1
    if (surety(between) >= confidence) rank = between
    else beyond = between
  }
  const spare = (surety(rank) - confidence) / (surety(rank) - surety(beyond))
  const inwards = ((n - rank - 1) * spare) / (rank + 1 + (n - 2 * rank - 2) * spare)
  const end = (outer: number, inner: number) => outer + (inner - outer) * inwards
  return {
    value,
    low: end(sorted[rank]!, Math.min(value, sorted[rank + 1]!)),
    high: end(sorted[n - 1 - rank]!, Math.max(value, sorted[n - 2 - rank]!)),
    confidence,
  }
}

/** Of values in order, at least one. */
export function middleOf(sorted: ArrayLike<number>): number {
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}
