/** What is measured, as chance would have it: servers seen through windows, pairs, logins. */
import { lookAtRatio, type Neighbours, pairedDifference, type Row, ratioOfSums, shares } from '../src/index.ts'
import { type Chance, normal, poisson, series, uneven } from './chance.ts'
import type { Round } from './coverage.ts'

/** Sigma of the lognormal size of a window, of how busy a row is in it, and of how long a call takes. */
export interface Load {
  readonly size: number
  readonly activity: number
  readonly duration: number
  /** In which part of all windows every second row is there, and so much the busier. */
  readonly there: number
  /** How many windows such a time lasts in the mean, where windows do not stand for themselves. */
  readonly lasting?: number
}

export const loads = {
  even: { size: 0.3, activity: 0.3, duration: 0.5, there: 1 },
  /** The largest of 60 windows is some 200 times as large as the smallest. */
  uneven: { size: 1.2, activity: 0.5, duration: 1, there: 1 },
  /** One call in a hundred takes ten times as long as the mean. */
  heavy: { size: 0.7, activity: 1, duration: 1.5, there: 1 },
  bursty: { size: 1, activity: 0.3, duration: 1, there: 0.2 },
  'rarely bursty': { size: 0.7, activity: 0.3, duration: 1, there: 0.07 },
} as const satisfies Record<string, Load>

export const lasting = (windows: number): Load => ({ ...loads.bursty, lasting: windows })

interface Kind {
  readonly stratum: number
  /** In a mean window. */
  readonly calls: number
  readonly micros: number
  readonly isBursty: boolean
}

/** Commands with eight rows each, of which the last ones are seen by few windows or by none. */
function kindsOf(commands: number): Kind[] {
  const ranks = [1, 2, 3, 4, 5, 6, 7, 8]
  return Array.from({ length: commands }, (_, stratum) =>
    ranks.map((rank) => ({
      stratum,
      calls: 20 / ((stratum + 1) * rank ** 3),
      micros: rank % 2 === 1 ? 1 : 3,
      isBursty: (stratum + rank) % 2 === 0,
    })),
  ).flat()
}

/** What a row takes in windows of these sizes. */
function taken(next: Chance, { calls, micros, isBursty }: Kind, sizes: Float64Array, load: Load): Float64Array {
  const there = isBursty ? load.there : 1
  let isThere = next() < there
  const [comes, goes] = [there, 1 - there].map((part) => part / (load.lasting ?? 1)) as [number, number]
  return sizes.map((size) => {
    isThere = isThere ? next() >= goes : next() < comes
    const count = isThere ? poisson(next, (calls / there) * size * uneven(next, load.activity)) : 0
    let sum = 0
    for (let i = 0; i < count; i++) sum += micros * uneven(next, load.duration)
    return sum
  })
}

/** So many neighbouring windows added together. */
function together(amounts: Float64Array, count: number): Float64Array {
  const sums = new Float64Array(amounts.length / count)
  for (const [w, amount] of amounts.entries()) sums[Math.floor(w / count)]! += amount
  return sums
}

const howOften = (row: Row) => {
  const seen = Array.from(row.amounts).filter((amount) => amount > 0).length
  return seen >= 10 ? 'often' : seen > 1 ? 'in 2 to 9 windows' : 'in one window'
}

/**
 * A server seen through windows, where it is known what each command takes in the long run. Told of all rows together,
 * by how many windows have seen them; or of each row. Of neighbouring windows so many as `inOne` are added together.
 */
export function tellShares(windows: number, load: Load, commands: number, by: 'windows' | 'row', inOne = 1) {
  const kinds = kindsOf(commands)
  const totals = Array.from({ length: commands }, (_, i) =>
    kinds.reduce((sum, { stratum, calls, micros }) => sum + (stratum === i ? calls * micros : 0), 0),
  )
  const all = totals.reduce((sum, total) => sum + total)
  const strata = totals.map((total) => ({ total }))
  return (next: Chance): Round => {
    const sizes = Float64Array.from({ length: windows }, () => uneven(next, load.size))
    const table = kinds.map((kind) => ({ kind, amounts: together(taken(next, kind, sizes, load), inOne) }))
    // A row that was not seen is in no table.
    const seen = table.filter(({ amounts }) => amounts.some((amount) => amount > 0))
    const rows = seen.map(({ kind, amounts }) => ({ stratum: kind.stratum, amounts }))
    return (confidence) =>
      shares(strata, rows, confidence)!.map((interval, k) => {
        const { kind } = seen[k]!
        const about = by === 'row' ? `row ${kinds.indexOf(kind)}` : `seen ${howOften(rows[k]!)}`
        return { about, interval, truth: (kind.calls * kind.micros) / all }
      })
  }
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
