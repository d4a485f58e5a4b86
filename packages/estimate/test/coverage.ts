/** How often intervals hold the truth. With COVERAGE=1 in the environment it prints what it finds. */
import assert from 'node:assert/strict'
import type { Interval } from '../src/index.ts'
import { type Chance, chance } from './chance.ts'

export interface Told {
  /** What it is about, where a round tells several things. */
  readonly about?: string
  readonly interval: Interval
  readonly truth: number
}

/** One round: what was drawn, told with any confidence. */
export type Round = (confidence: number) => readonly Told[]

interface Tally {
  told: number
  held: number
  /** With an end that says nothing: these hold everything, and count for nothing. */
  untold: number
}

/**
 * Intervals hold the truth as often as they say, with confidences of 0.95 and 0.9, give or take points of a hundred;
 * and nearly all of them say something.
 */
export function assertCoverage(
  situation: string,
  rounds: number,
  draw: (next: Chance) => Round,
  { below = 3, above = 3, untold: most = 0.02, confidences = [0.95, 0.9] } = {},
): void {
  const tallies = confidences.map(() => new Map<string, Tally>())
  for (let round = 0; round < rounds; round++) {
    const tell = draw(chance(round))
    for (const [i, confidence] of confidences.entries()) for (const told of tell(confidence)) count(tallies[i]!, told)
  }
  for (const [i, confidence] of confidences.entries()) {
    assert.ok(tallies[i]!.size > 0, `${situation}: nothing was told`)
    for (const [about, { told, held, untold }] of tallies[i]!) {
      const percent = (100 * held) / told
      const words = `${percent.toFixed(1)} of 100 for ${confidence}, ${told} told, ${untold} not: ${situation}${about}`
      if (process.env.COVERAGE !== undefined) console.log(words)
      const off = percent - 100 * confidence
      assert.ok(off >= -below && off <= above && untold <= most * told, words)
    }
  }
}

function count(tally: Map<string, Tally>, { about, interval: { value, low, high }, truth }: Told): void {
  const key = about === undefined ? '' : `, ${about}`
  const sums = tally.get(key) ?? { told: 0, held: 0, untold: 0 }
  tally.set(key, sums)
  if (low === -Infinity || high === Infinity || (low === 0 && value > 0)) {
    sums.untold += 1
    return
  }
  sums.told += 1
  if (low <= truth && truth <= high) sums.held += 1
}
