/** What is measured, as chance would have it: servers seen through windows, pairs, logins. */
import {
  lookAtRatio,
  median,
  type Neighbours,
  pairedDifference,
  type Row,
  ratioOfSums,
  type Stratum,
  shares,
} from '../src/index.ts'
import { type Chance, normal, poisson, series, uneven } from './chance.ts'
import type { Round } from './coverage.ts'

/** Sigma of the lognormal size of a window, of how busy a row is in it, and of how long a call takes. */
export interface Load {
  readonly size: number
  readonly activity: number
  readonly duration: number
}

export const loads = {
  even: { size: 0.3, activity: 0.3, duration: 0.5 },
  /** The largest of 20 windows is some 40 times as large as the smallest. */
  uneven: { size: 1, activity: 0.5, duration: 1 },
  /** One call in a hundred takes ten times as long as the mean. */
  heavy: { size: 0.5, activity: 1, duration: 1.5 },
} as const satisfies Record<string, Load>

/** Calls in a mean window and their mean duration in microseconds, by row. */
const table = [
  { command: 0, calls: 20, micros: 200 },
  { command: 0, calls: 10, micros: 40 },
  { command: 1, calls: 10, micros: 20 },
  { command: 1, calls: 5, micros: 20 },
  { command: 2, calls: 3, micros: 17 },
  { command: 2, calls: 1, micros: 51 },
  { command: 3, calls: 1, micros: 51 },
  { command: 3, calls: 4, micros: 24 },
] as const
const commands = [0, 1, 2, 3]
const time = table.map(({ calls, micros }) => calls * micros)
const allTime = time.reduce((sum, one) => sum + one)

/** What rows take of the time in the long run: 81, 8, 4, 2, 1, 1, 1 and 2 %. */
const trueShares = time.map((one) => one / allTime)

/** What is known exactly beside the windows, by command. */
export type Known = 'nothing' | 'calls' | 'time'

/** A server seen through windows. */
function observe(next: Chance, windows: number, load: Load, known: Known): { strata: Stratum[]; rows: Row[] } {
  const calls = table.map(() => new Float64Array(windows))
  const amounts = table.map(() => new Float64Array(windows))
  for (let w = 0; w < windows; w++) {
    const size = uneven(next, load.size)
    for (const [k, row] of table.entries()) {
      calls[k]![w] = poisson(next, row.calls * size * uneven(next, load.activity))
      for (let i = 0; i < calls[k]![w]!; i++) amounts[k]![w]! += row.micros * uneven(next, load.duration)
    }
  }
  const rows = table.map(({ command }, k) => ({ stratum: known === 'nothing' ? 0 : command, amounts: amounts[k]! }))
  const inCommand = (command: number, of: (k: number) => number) =>
    table.reduce((sum, row, k) => sum + (row.command === command ? of(k) : 0), 0)
  const strata: Readonly<Record<Known, () => Stratum[]>> = {
    nothing: () => [{ total: 1 }],
    time: () => commands.map((command) => ({ total: inCommand(command, (k) => time[k]!) })),
    calls: () =>
      commands.map((command) => ({
        total: inCommand(command, (k) => table[k]!.calls),
        seen: Float64Array.from({ length: windows }, (_, w) => inCommand(command, (k) => calls[k]![w]!)),
      })),
  }
  return { strata: strata[known](), rows }
}

export const tellShares =
  (windows: number, load: Load, known: Known) =>
  (next: Chance): Round => {
    const { strata, rows } = observe(next, windows, load, known)
    return (confidence) =>
      shares(strata, rows, confidence)!.flatMap((interval, k) =>
        // A row that was not seen is in no table.
        interval.value === 0 ? [] : [{ about: `row ${k}`, interval, truth: trueShares[k]! }],
      )
  }

/** Time for each call, over windows with some 20 calls. */
export const tellRatio =
  (windows: number, load: Load) =>
  (next: Chance): Round => {
    const calls = Array.from({ length: windows }, () => poisson(next, 20 * uneven(next, load.size)))
    const time = calls.map((count) => {
      let sum = 0
      for (let i = 0; i < count; i++) sum += uneven(next, load.duration)
      return sum
    })
    return (confidence) => [{ interval: ratioOfSums(time, calls, confidence)!, truth: 1 }]
  }

/** How pairs are spread around their centre, 0, where each is correlated with the one before. */
export const spreads = {
  normal: series,
  /** One in ten is hit by something eight times as large. */
  stalls: (next: Chance, length: number, correlation: number) =>
    series(next, length, correlation).map((one) => (next() < 0.1 ? one + 8 * normal(next) : one)),
  /** Student's t with three degrees of freedom. */
  'heavy tails': (next: Chance, length: number, correlation: number) =>
    series(next, length, correlation).map((one) => {
      const squares = normal(next) ** 2 + normal(next) ** 2 + normal(next) ** 2
      return one / Math.sqrt(squares / 3)
    }),
  /** Quiet times and rough ones. */
  bursts: (next: Chance, length: number, correlation: number) => {
    const roughness = series(next, length, 0.8)
    return series(next, length, correlation).map((one, i) => one * Math.exp(roughness[i]!))
  },
} as const

export const tellPairs =
  (spread: keyof typeof spreads, pairs: number, correlation: number, neighbours: Neighbours) =>
  (next: Chance): Round => {
    const before = new Float64Array(pairs)
    const after = spreads[spread](next, pairs, correlation)
    return (confidence) => [{ interval: pairedDifference(before, after, neighbours, confidence)!, truth: 0 }]
  }

/** Measures a ratio of 1 until it is known within 3 %, where its logarithm is spread by sigma. */
export const tellLooks =
  (sigma: number, correlation: number) =>
  (next: Chance): Round => {
    const after = spreads.stalls(next, 2000, correlation).map((one) => Math.exp(sigma * one))
    const before = after.map(() => 1)
    return (confidence) => {
      for (let pairs = 30; ; ) {
        const look = lookAtRatio(before.subarray(0, pairs), after.subarray(0, pairs), 0.03, confidence)
        if (look.enough || look.next > after.length) return [{ interval: look.ratio!, truth: 1 }]
        pairs = look.next
      }
    }
  }

/** One login before a change and one after it, in seconds. */
export interface Login {
  /** The median of the difference. */
  readonly change: number
  draw(next: Chance): readonly [before: number, after: number]
}

/** Distributions with a median of 0. */
export const values = {
  normal,
  lognormal: (next) => Math.exp(normal(next)) - 1,
  exponential: (next) => exponential(next) - Math.LN2,
  'without a mean': (next) => Math.tan(Math.PI * (next() - 0.5)),
} as const satisfies Record<string, (next: Chance) => number>

export const tellMedian =
  (of: keyof typeof values, count: number) =>
  (next: Chance): Round => {
    const drawn = Float64Array.from({ length: count }, () => values[of](next))
    return (confidence) => [{ interval: median(drawn, confidence)!, truth: 0 }]
  }

const exponential = (next: Chance) => -Math.log(1 - next())
const stall = (next: Chance, chance: number) => (next() < chance ? 5 + 5 * next() : 0)

export const logins = {
  'skewed alike': { change: -2, draw: (next) => [2.3 + 0.3 * uneven(next, 1), 0.3 + 0.3 * uneven(next, 1)] },
  /** Three seconds that vary much, and a tenth of that after the change; the median is that of four million draws. */
  'slow and skewed': {
    change: -2.651,
    draw: (next) => [3 * Math.exp(0.6 * normal(next)), 0.3 * Math.exp(0.6 * normal(next))],
  },
  'long waits': { change: -0.5, draw: (next) => [0.8 + 0.1 * exponential(next), 0.3 + 0.1 * exponential(next)] },
  'stalls, 5 of 100': {
    change: -2,
    draw: (next) => [2.3 + 0.1 * normal(next) + stall(next, 0.05), 0.3 + 0.1 * normal(next) + stall(next, 0.05)],
  },
  'stalls, 10 of 100': {
    change: -2,
    draw: (next) => [2.3 + 0.1 * normal(next) + stall(next, 0.1), 0.3 + 0.1 * normal(next) + stall(next, 0.1)],
  },
  /** A clock that ticks every 10 ms. */
  'coarse clock': {
    change: -0.02,
    draw: (next) =>
      [0.32 + 0.01 * normal(next), 0.3 + 0.01 * normal(next)].map((s) => Math.round(s * 100) / 100) as [number, number],
  },
} as const satisfies Record<string, Login>

export const tellLogins =
  (login: keyof typeof logins, count: number) =>
  (next: Chance): Round => {
    const { change, draw }: Login = logins[login]
    const pairs = Array.from({ length: count }, () => draw(next))
    const [before, after] = [pairs.map(([one]) => one), pairs.map(([, other]) => other)]
    return (confidence) => [{ interval: pairedDifference(before, after, 'independent', confidence)!, truth: change }]
  }
