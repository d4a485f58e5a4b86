/** What is known of a number, and what two such numbers say of each other. */

/**
 * A value and how far off it may be: of all the intervals that are told with a confidence of 0.95, 95 in 100 contain
 * the truth. `low <= value <= high`, all in the unit of the value. What nobody can tell is as wide as can be: a
 * difference from -Infinity to Infinity, a ratio from 0 to Infinity, a share from 0 to all of its stratum. (JSON turns
 * Infinity into null.)
 */
export interface Interval {
  readonly value: number
  readonly low: number
  readonly high: number
  /** Between 0 and 1, both excluded. */
  readonly confidence: number
}

/** Values that do not matter, or that noise alone brings about. */
export type Band = Pick<Interval, 'low' | 'high'>

/**
 * `a - b`, where the two were measured independently of each other: never rows of one table of shares, for those move
 * together. Both in the same unit and with the same confidence, which the difference has too. What is unknown on one
 * side of either is unknown on that side of the difference.
 *
 * Square and add (MOVER): the distance from value to bound takes the place of the standard error, each side for itself,
 * so that skewed intervals stay skewed. G. Y. Zou and A. Donner, Statistics in Medicine 27 (2008), 1693-1702.
 */
export function difference(a: Interval, b: Interval): Interval {
  const { confidence } = a
  if (b.confidence !== confidence) throw new Error(`the confidences differ: ${confidence} and ${b.confidence}`)
  const value = a.value - b.value
  const low = value - Math.hypot(a.value - a.low, b.high - b.value)
  const high = value + Math.hypot(a.high - a.value, b.value - b.low)
  return { value, low, high, confidence }
}

/**
 * What noise alone may bring about, as far as A against A has shown: the band reaches to the farther end of that
 * interval, to both sides of no difference. `none` is what stands for no difference: 0 for a difference, 1 for a ratio,
 * whose band is as many times below 1 as above.
 */
export function noiseBand(again: Interval, none: 0 | 1): Band {
  const reach = none === 0 ? Math.max(again.high, -again.low) : Math.max(again.high, 1 / again.low)
  return none === 0 ? { low: -reach, high: reach } : { low: 1 / reach, high: reach }
}

/**
 * Where the truth lies: `above` or `below` when the whole interval does, `within` when it lies in the band as a whole,
 * else `unclear`: it may be so or so. A band without an end says nothing, and nothing can be told from it.
 */
export function position({ low, high }: Band, band: Band): 'above' | 'below' | 'within' | 'unclear' {
  if (low > band.high) return 'above'
  if (high < band.low) return 'below'
  const hasEnds = Number.isFinite(band.low) && Number.isFinite(band.high)
  return hasEnds && low >= band.low && high <= band.high ? 'within' : 'unclear'
}
