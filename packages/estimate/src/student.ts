/** Student's t, which all intervals here rest on. */

/**
 * Half the width, in standard errors, of the interval around 0 that holds Student's t with the given confidence.
 * `freedom`: degrees of freedom, 1 or more, not only whole ones.
 */
export function studentQuantile(freedom: number, confidence: number): number {
  const half = freedom / 2
  const peak = Math.exp(logGamma(half + 0.5) - logGamma(half)) / Math.sqrt(Math.PI * freedom)
  let t = 0
  // Newton's way. The tail is convex, so that every step is too short, and they end when there is nothing left to gain.
  for (let i = 0; i < 100; i++) {
    const scale = 1 + (t * t) / freedom
    const tails = regularBeta(1 / scale, half, 0.5) // Abramowitz and Stegun 26.7.1
    const step = (tails - (1 - confidence)) / (2 * peak * scale ** (-half - 0.5))
    t += step
    if (step < t * 1e-12) break
  }
  return t
}

/** The regularised incomplete beta function I(x; a, b): DLMF 8.17. */
function regularBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0
  if (x >= 1) return 1
  // The fraction runs fast only on this side; on the other one stands the complement, DLMF 8.17.4.
  if (x > (a + 1) / (a + b + 2)) return 1 - regularBeta(1 - x, b, a)
  const factor = a * Math.log(x) + b * Math.log1p(-x) + logGamma(a + b) - logGamma(a) - logGamma(b)
  return Math.exp(factor) / (a * betaFraction(x, a, b))
}

/** The continued fraction DLMF 8.17.22, by Lentz's method. */
function betaFraction(x: number, a: number, b: number): number {
  let numerator = 1
  let denominator = 0
  let fraction = 1
  for (let i = 1; i < 100_000; i++) {
    const m = i >> 1
    const even = (m * (b - m) * x) / ((a + i - 1) * (a + i))
    const odd = (-(a + m) * (a + b + m) * x) / ((a + i - 1) * (a + i))
    const term = i % 2 === 0 ? even : odd
    denominator = 1 / (1 + term * denominator)
    numerator = 1 + term / numerator
    fraction *= numerator * denominator
    if (Math.abs(numerator * denominator - 1) < 1e-14) break
  }
  return fraction
}

/** Stirling's series, DLMF 5.11.1, from where its first terms are enough. */
function logGamma(x: number): number {
  let product = 1
  let at = x
  while (at < 10) {
    product *= at
    at += 1
  }
  const series = 1 / (12 * at) - 1 / (360 * at ** 3) + 1 / (1260 * at ** 5) - 1 / (1680 * at ** 7)
  return (at - 0.5) * Math.log(at) - at + Math.log(2 * Math.PI) / 2 + series - Math.log(product)
}
