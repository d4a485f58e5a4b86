/** How often intervals hold the truth, and situations to find that out in. */
import assert from 'node:assert/strict'
import type { Interval, Row, Stratum } from '../src/index.ts'
import { type Chance, chance, normal, poisson, series, uneven } from './chance.ts'

export interface Told {
  /** What it is about. */
  readonly about: string
  readonly interval: Interval
  readonly truth: number
}

/** One round: what was drawn, told with any confidence. */
export type Round = (confidence: number) => readonly Told[]

/** Per cent of the intervals that hold the truth, by what they are about. */
export function coverage(rounds: number, confidence: number, draw: (next: Chance) => Round): Map<string, number> {
  const tally = new Map<string, { told: number; held: number }>()
  for (let round = 0; round < rounds; round++) {
    for (const { about, interval, truth } of draw(chance(round))(confidence)) {
      const count = tally.get(about) ?? { told: 0, held: 0 }
      tally.set(about, count)
      count.told += 1
      if (interval.low <= truth && truth <= interval.high) count.held += 1
    }
  }
  return new Map(Array.from(tally, ([about, { told, held }]) => [about, (100 * held) / told]))
}

/** Holds as often as it says, give or take points of a hundred. */
export function assertCoverage(
  situation: string,
  rounds: number,
  draw: (next: Chance) => Round,
  { below = 3, above = 3, confidences = [0.95, 0.9] } = {},
): void {
  for (const confidence of confidences) {
    for (const [about, percent] of coverage(rounds, confidence, draw)) {
      const off = percent - 100 * confidence
      const words = `${situation}, ${about}: ${percent.toFixed(1)} of 100 for ${confidence}`
      assert.ok(off >= -below && off <= above, words)
    }
  }
}

/** A server seen through windows: calls, by row; the rows of a command are a stratum. */
export interface Load {
  readonly windows: number
  /** Sigma of the lognormal size of a window, of how busy a row is in it, and of a call's duration. */
  readonly size: number
  readonly activity: number
  readonly duration: number
}

/** Calls in a window, and their mean duration in microseconds. The shares are 81, 8, 4, 2, 1, 1, 1 and 2 %. */
const TABLE = [
  { command: 0, calls: 40, micros: 100 },
  { command: 0, calls: 20, micros: 20 },
  { command: 1, calls: 20, micros: 10 },
  { command: 1, calls: 10, micros: 10 },
  { command: 2, calls: 5, micros: 10 },
  { command: 2, calls: 1, micros: 50 },
  { command: 3, calls: 2, micros: 25 },
  { command: 3, calls: 5, micros: 20 },
] as const
const COMMANDS = [0, 1, 2, 3]
const micros = TABLE.map((row) => row.calls * row.micros)
const allMicros = micros.reduce((sum, one) => sum + one)

/** What is known exactly beside the windows. */
export type Known = 'nothing' | 'calls of commands' | 'time of commands'

export function serverRound(next: Chance, load: Load, known: Known, tell: Tell): Round {
  const calls = TABLE.map(() => new Float64Array(load.windows))
  const amounts = TABLE.map(() => new Float64Array(load.windows))
  for (let w = 0; w < load.windows; w++) {
    const size = uneven(next, load.size)
    for (const [k, row] of TABLE.entries()) {
      calls[k]![w] = poisson(next, row.calls * size * uneven(next, load.activity))
      for (let i = 0; i < calls[k]![w]!; i++) amounts[k]![w]! += row.micros * uneven(next, load.duration)
    }
  }
  const rows = TABLE.map(({ command }, k) => ({ stratum: known === 'nothing' ? 0 : command, amounts: amounts[k]! }))
  const inCommand = (columns: readonly Float64Array[], command: number) =>
    Float64Array.from({ length: load.windows }, (_, w) =>
      columns.reduce((sum, column, k) => sum + (TABLE[k]!.command === command ? column[w]! : 0), 0),
    )
  const total = (of: readonly number[], command: number) =>
    of.reduce((sum, one, k) => sum + (TABLE[k]!.command === command ? one : 0), 0)
  const strata: Readonly<Record<Known, () => Stratum[]>> = {
    nothing: () => [{ total: 1, seen: new Float64Array(load.windows).fill(1) }],
    'calls of commands': () =>
      COMMANDS.map((c) => ({ total: total(TABLE.map((row) => row.calls), c), seen: inCommand(calls, c) })),
    'time of commands': () => COMMANDS.map((c) => ({ total: total(micros, c), seen: inCommand(amounts, c) })),
  }
  const table = strata[known]()
  return (confidence) =>
    (tell(table, rows, confidence) ?? []).flatMap((interval, k) => {
      // A row that was not seen is in no table.
      if (interval.value === 0) return []
      return [{ about: `row ${k}`, interval, truth: micros[k]! / allMicros }]
    })
}

type Tell = (strata: Stratum[], rows: Row[], confidence: number) => Interval[] | undefined

/** How differences of pairs are spread around their centre, which is 0; one pair may disturb the next one. */
export const spreads: Readonly<Record<string, (next: Chance, length: number, correlation: number) => Float64Array>> = {
  normal: series,
  /** One in ten is hit by something eight times as large. */
  stalls: (next, length, correlation) =>
    series(next, length, correlation).map((one) => (next() < 0.1 ? one + 8 * normal(next) : one)),
  /** Student's t with three degrees of freedom. */
  'heavy tails': (next, length, correlation) =>
    series(next, length, correlation).map((one) => {
      const squares = normal(next) ** 2 + normal(next) ** 2 + normal(next) ** 2
      return one / Math.sqrt(squares / 3)
    }),
  /** Quiet and rough times. */
  bursts: (next, length, correlation) => {
    const roughness = series(next, length, 0.8)
    return series(next, length, correlation).map((one, i) => one * Math.exp(roughness[i]!))
  },
}
