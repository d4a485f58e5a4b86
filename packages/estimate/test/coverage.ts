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
}

/** Intervals hold the truth as often as they say, with confidences of 0.95 and 0.9, give or take points of a hundred. */
export function assertCoverage(
  situation: string,
  rounds: number,
  draw: (next: Chance) => Round,
  { below = 3, above = 3 } = {},
): void {
  const confidences = [0.95, 0.9]
  const tallies = confidences.map(() => new Map<string, Tally>())
  for (let round = 0; round < rounds; round++) {
    const tell = draw(chance(round))
    for (const [i, confidence] of confidences.entries()) for (const told of tell(confidence)) count(tallies[i]!, told)
  }
  for (const [i, confidence] of confidences.entries()) {
    assert.ok(tallies[i]!.size > 0, `${situation}: nothing was told`)
    for (const [about, { told, held }] of tallies[i]!) {
      const percent = (100 * held) / told
      const words = `${percent.toFixed(1)} of 100 for ${confidence}: ${situation}${about}`
      if (process.env.COVERAGE !== undefined) console.log(words)
      const off = percent - 100 * confidence
      assert.ok(off >= -below && off <= above, words)
    }
  }
}

function count(tally: Map<string, Tally>, { about, interval, truth }: Told): void {
  const key = about === undefined ? '' : `, ${about}`
  const sums = tally.get(key) ?? { told: 0, held: 0 }
  tally.set(key, sums)
  sums.told += 1
  if (interval.low <= truth && truth <= interval.high) sums.held += 1
}
