/** Chance from a seed: the same numbers in every run. */

/** Uniform in [0, 1), each call the next one. */
export type Chance = () => number

/** sfc32 of Chris Doty-Humphrey's PractRand. */
export function chance(seed: number): Chance {
  let [a, b, c, counter] = [0, seed, ~seed, 1]
  const next = () => {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return (sum >>> 0) / 2 ** 32
  }
  for (let i = 0; i < 12; i++) next()
  return next
}

export function normal(next: Chance): number {
  return Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())
}

/** Lognormal with a mean of 1. */
export function uneven(next: Chance, sigma: number): number {
  return Math.exp(sigma * normal(next) - (sigma * sigma) / 2)
}

export function poisson(next: Chance, mean: number): number {
  // In parts, since e^-mean has to be a number that is not 0.
  if (mean > 500) return poisson(next, mean / 2) + poisson(next, mean / 2)
  const target = next()
  let [count, term] = [0, Math.exp(-mean)]
  for (let sum = term; sum < target && term > 0; sum += term) {
    count += 1
    term *= mean / count
  }
  return count
}

/** Standard normal values, each correlated with the one before. */
export function series(next: Chance, length: number, correlation: number): Float64Array {
  const values = new Float64Array(length)
  let value = normal(next)
  for (let i = 0; i < length; i++) {
    values[i] = value
    value = correlation * value + Math.sqrt(1 - correlation * correlation) * normal(next)
  }
  return values
}
