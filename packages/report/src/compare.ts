/** Two reports of the same thing: what changed, and whether it is more than noise. */
import { difference, type Interval, position } from '@fettle/estimate'
import type { Quantity } from './quantity.ts'
import type { Finding, Report } from './report.ts'

export interface Change {
  readonly name: string
  readonly title: string
  readonly before: Quantity
  readonly after: Quantity
  /** `after / before - 1`, with an interval where both have one; null: there is no ratio to nothing. */
  readonly change: Quantity | null
  /** `unknown`: at least one of them does not say how sure it is. */
  readonly verdict: 'better' | 'worse' | 'different' | 'noise' | 'same' | 'unknown'
}

export interface Comparison {
  readonly schema: 'fettle.comparison/1'
  readonly tool: string
  readonly subject: string
  readonly before: string | null
  readonly after: string | null
  readonly changes: readonly Change[]
  readonly gone: readonly Finding[]
  readonly come: readonly Finding[]
  readonly stayed: readonly Finding[]
}

/** Why two reports cannot be compared, or the comparison. */
export function compare(before: Report, after: Report): Comparison | { readonly problem: string } {
  if (before.tool !== after.tool) return { problem: `one is of ${before.tool}, the other of ${after.tool}` }
  if (before.subject !== after.subject) return { problem: `one is of ${before.subject}, the other of ${after.subject}` }
  const later = new Map(after.measures.map((one) => [one.name, one]))
  const keys = (report: Report) => new Set(report.findings.map(keyOf))
  const [first, second] = [keys(before), keys(after)]
  return {
    schema: 'fettle.comparison/1',
    tool: after.tool,
    subject: after.subject,
    before: before.at,
    after: after.at,
    changes: before.measures.flatMap((one) => {
      const other = later.get(one.name)
      return other === undefined ? [] : [changeOf(one.name, one.title, one.quantity, other.quantity, one.better)]
    }),
    gone: before.findings.filter((one) => !second.has(keyOf(one))),
    come: after.findings.filter((one) => !first.has(keyOf(one))),
    stayed: after.findings.filter((one) => first.has(keyOf(one))),
  }
}

const keyOf = ({ code, subject }: Finding) => JSON.stringify([code, subject])

function changeOf(name: string, title: string, before: Quantity, after: Quantity, better?: 'less' | 'more'): Change {
  const change = before.value === 0 ? null : ratio(before, after)
  return { name, title, before, after, change, verdict: verdictOf(before, after, better) }
}

/** A difference of logarithms, where both have one. */
function ratio(before: Quantity, after: Quantity): Quantity {
  const value = after.value / before.value - 1
  const [from, to] = [intervalOf(before, Math.log), intervalOf(after, Math.log)]
  if (from === undefined || to === undefined) return { value, unit: 'share' }
  const { low, high } = difference(to, from)
  return { value, unit: 'share', low: Math.exp(low) - 1, high: Math.exp(high) - 1 }
}

/** The difference beside the error of a difference: the intervals themselves may well overlap. */
function verdictOf(before: Quantity, after: Quantity, better?: 'less' | 'more'): Change['verdict'] {
  if (before.value === after.value) return 'same'
  const [from, to] = [intervalOf(before), intervalOf(after)]
  if (from === undefined || to === undefined) return 'unknown'
  const where = position(difference(to, from), { low: 0, high: 0 })
  if (where !== 'above' && where !== 'below') return 'noise'
  if (better === undefined) return 'different'
  return (where === 'below') === (better === 'less') ? 'better' : 'worse'
}

/** On any scale; undefined: it has no interval, or none on that scale. */
function intervalOf({ value, low, high }: Quantity, scale = (end: number) => end): Interval | undefined {
  if (low === undefined || high === undefined) return undefined
  const ends = { value: scale(value), low: scale(low), high: scale(high) }
  return Object.values(ends).every(Number.isFinite) ? { ...ends, confidence: 0.95 } : undefined
}
