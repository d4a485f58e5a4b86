/**
 * Which allocation of one ledger is which of another one of the same run (rule R46). Only a path and eight counters are
 * surely the same in both; a path comes again after a restart, and clocks may differ.
 */
import { isWhole } from './quality.ts'
import { type AllocationFacts, numbersOf } from './record.ts'

/** An allocation of a ledger. */
export interface Entry {
  /** Its number in that ledger. */
  readonly id: number
  readonly stream: number
  /** Processes of one log are told apart by it as well. */
  readonly boot: number
  readonly facts: AllocationFacts
}

/**
 * What a second ledger says of an allocation:
 * `equal`: the same; `completes`: it has all of what is not whole here; `adds`: it was never heard of here; `lacks`: it
 * is not there, or not whole there; `not over`: it is open, or was a moment ago; `contradicts`: both cannot be true;
 * `unclear`: which one it is cannot be told.
 */
export type Verdict = 'equal' | 'completes' | 'adds' | 'lacks' | 'not over' | 'contradicts' | 'unclear'

/** Two that are one; null: there is none on that side. */
export interface Pair {
  readonly mine: Entry | null
  readonly other: Entry | null
}

/** What is said of the moment when the same thing was heard: both stamp it, the other one perhaps in whole seconds. */
export const TOLERANCE_MS = 10_000
/** No two clocks of one run differ by more: that of a log in local time by its zone. */
export const CLOCKS_MS = 14 * 3_600_000

/** Pairs up the allocations of one path. `aheadMs`: how far the clock here is ahead of the other one's. */
export function pairUp(mine: readonly Entry[], others: readonly Entry[], aheadMs: number): Pair[] {
  const pairs: { mine: Entry; other: Entry }[] = []
  const left = { mine: new Set(mine), others: new Set(others) }
  const pairSure = (may: (a: Entry, b: Entry) => boolean) => {
    for (const one of left.mine) {
      const other = only(left.others, (b) => may(one, b))
      if (other === undefined || only(left.mine, (a) => may(a, other)) === undefined) continue
      left.mine.delete(one)
      left.others.delete(other)
      pairs.push({ mine: one, other })
    }
  }
  pairSure((a, b) => maybe(a, b, aheadMs) && isAlike(a, b))
  for (let before = -1; before !== pairs.length; ) {
    before = pairs.length
    pairSure((a, b) => maybe(a, b, aheadMs) && isTold(a, b))
  }
  return [
    ...pairs,
    ...Array.from(left.mine, (one) => ({ mine: one, other: null })),
    ...Array.from(left.others, (other) => ({ mine: null, other })),
  ]
}

/** The only one of which it is true. */
function only(all: Iterable<Entry>, isIt: (one: Entry) => boolean): Entry | undefined {
  const found = Array.from(all).filter(isIt)
  return found.length === 1 ? found[0] : undefined
}

/** Whether they may be the same allocation, by addresses and times. `withinMs`: how far times may differ. */
export function maybe({ facts: a }: Entry, { facts: b }: Entry, aheadMs: number, withinMs = TOLERANCE_MS): boolean {
  if (differ(a.serverAddress, b.serverAddress)) return false
  if (a.openedAt !== null && b.openedAt !== null) return Math.abs(a.openedAt - b.openedAt - aheadMs) <= withinMs
  if (differ(a.clientAddress, b.clientAddress)) return false
  return overlap(a, b, aheadMs, withinMs)
}

/** Whether both were there at some time; one that has expired was there until then, as far as anyone knows. */
export function overlap(a: AllocationFacts, b: AllocationFacts, aheadMs: number, withinMs = 0): boolean {
  const [from, to] = spanOf(a)
  const [otherFrom, otherTo] = spanOf(b)
  return !(otherFrom + aheadMs > to + withinMs || otherTo + aheadMs < from - withinMs)
}

/** Two that are known. */
const differ = (a: string | null, b: string | null) => a !== null && b !== null && a !== b

/** Whether more than the path says that they are the same, if they may be: it comes again after a restart. */
function isTold({ facts: a }: Entry, { facts: b }: Entry): boolean {
  const areTimed = [a, b].every(({ openedAt, heardAt }) => (openedAt ?? heardAt) !== null)
  return areTimed || (a.clientAddress !== null && a.clientAddress === b.clientAddress)
}

/** The eight counters are the same, and not all of them are 0. */
export function isAlike({ facts: a }: Entry, { facts: b }: Entry): boolean {
  return compare(a, b) === 'same' && countersOf(a).some((one) => one > 0)
}

/** From when to when it was there; NaN where times are unknown, which no time is before or after. */
function spanOf({ openedAt, heardAt, closedAt, ended }: AllocationFacts): [number, number] {
  return [openedAt ?? heardAt ?? Number.NaN, ended === 'open' ? Number.POSITIVE_INFINITY : (closedAt ?? Number.NaN)]
}

/** `isLost`: what was heard of the end of `other` elsewhere can be on its way to here no more. */
export function judge({ facts: a }: Entry, { facts: b }: Entry, isLost: boolean): Verdict {
  const counters = compare(a, b)
  if (!isWhole(b.quality)) return counters === 'same' && a.quality === b.quality ? 'equal' : 'lacks'
  if (counters === 'more' || a.quality === 'ambiguous') return 'contradicts'
  if (a.ended === 'open') return b.ended === 'deleted' && isLost ? 'completes' : 'not over'
  if (!isWhole(a.quality)) return 'completes'
  if (counters === 'less') return 'contradicts'
  return a.openedAt === null && b.openedAt !== null ? 'completes' : 'equal'
}

const countersOf = ({ client, peer }: AllocationFacts): number[] => [...numbersOf(client), ...numbersOf(peer)]

/** The eight counters of `a` beside those of `b`: `less` if none is more. */
function compare(a: AllocationFacts, b: AllocationFacts): 'same' | 'less' | 'more' {
  const others = countersOf(b)
  const differences = countersOf(a).map((one, k) => one - others[k]!)
  if (differences.some((one) => one > 0)) return 'more'
  return differences.some((one) => one < 0) ? 'less' : 'same'
}
