/** What do intervals around 300 shares cost, and how many hold the truth, beside a bootstrap over windows? */
import { type Interval, type Row, shares } from '@fettle/estimate'
import { spread } from './process.ts'

const rounds = Number(process.argv[2] ?? 15)
const DRAWS = 1000
const whole = [{ total: 1 }]

interface Table {
  readonly rows: readonly Row[]
  readonly truth: readonly number[]
}

process.stdout.write(`300 shares, 150 windows, the bootstrap with ${DRAWS} draws, ${rounds} rounds\n\n`)
const cost: Readonly<Record<string, number[]>> = { fettle: [], bootstrap: [] }
for (let round = 0; round < rounds + 2; round++) {
  const table = draw(300, 150)
  for (const [name, tell] of [
    ['fettle', jackknife],
    ['bootstrap', bootstrap],
  ] as const) {
    const before = process.cpuUsage().user
    tell(table.rows)
    // The first two rounds warm the code up.
    if (round >= 2) cost[name]!.push((process.cpuUsage().user - before) / 1000)
  }
}
for (const name of ['fettle', 'bootstrap']) process.stdout.write(`  ${name.padEnd(10)}${figures(cost[name]!, 'ms')}\n`)
const ratios = cost.bootstrap!.map((ms, i) => ms / cost.fettle![i]!)
process.stdout.write(`  bootstrap / fettle ${figures(ratios, '')}\n\n`)

process.stdout.write('of 100 intervals for 0.95 held the truth, 20 shares in uneven windows\n\n')
for (const windows of [8, 20, 60]) {
  const held = { fettle: 0, bootstrap: 0 }
  for (let round = 0; round < rounds * 10; round++) {
    const { rows, truth } = draw(20, windows)
    const holds = (told: readonly Interval[]) =>
      told.filter(({ low, high }, k) => low <= truth[k]! && truth[k]! <= high).length
    held.fettle += holds(jackknife(rows))
    held.bootstrap += holds(bootstrap(rows))
  }
  const percent = (count: number) => (count / (rounds * 2)).toFixed(1)
  process.stdout.write(`  ${windows} windows  fettle ${percent(held.fettle)}  bootstrap ${percent(held.bootstrap)}\n`)
}

function figures(values: readonly number[], unit: string): string {
  const { median, least, most } = spread(values)
  return `${median.toFixed(1).padStart(7)} ${unit}  (${least.toFixed(1)} to ${most.toFixed(1)})`
}

function jackknife(rows: readonly Row[]): Interval[] {
  return shares(whole, rows)!
}

/** Draws windows anew, by weights, and takes the shares that 95 of 100 draws lie between. */
function bootstrap(rows: readonly Row[]): Interval[] {
  const windows = rows[0]!.amounts.length
  const found = rows.map(() => new Float64Array(DRAWS))
  const weights = new Float64Array(windows)
  const sums = new Float64Array(rows.length)
  for (let i = 0; i < DRAWS; i++) {
    weights.fill(0)
    for (let w = 0; w < windows; w++) weights[Math.floor(Math.random() * windows)]! += 1
    let all = 0
    for (let k = 0; k < rows.length; k++) {
      const { amounts } = rows[k]!
      let sum = 0
      for (let w = 0; w < windows; w++) sum += weights[w]! * amounts[w]!
      sums[k] = sum
      all += sum
    }
    for (let k = 0; k < rows.length; k++) found[k]![i] = sums[k]! / all
  }
  return found.map((values) => {
    values.sort()
    const [low, value, high] = [0.025, 0.5, 0.975].map((part) => values[Math.floor(part * DRAWS)]!)
    return { value: value!, low: low!, high: high!, confidence: 0.95 }
  })
}

/**
 * Shares fall off as 1, 1/2, 1/3 ...; a window sees some thirty calls of the first row, lognormal in number and
 * duration.
 */
function draw(count: number, windows: number): Table {
  const means = Array.from({ length: count }, (_, k) => 30 / (k + 1))
  const amounts = means.map(() => new Float64Array(windows))
  for (let w = 0; w < windows; w++) {
    const size = uneven(1)
    for (const [k, mean] of means.entries()) {
      for (let left = mean * size * uneven(0.5) - wait(); left > 0; left -= wait()) amounts[k]![w]! += uneven(1)
    }
  }
  const all = means.reduce((sum, mean) => sum + mean)
  return { rows: amounts.map((row) => ({ stratum: 0, amounts: row })), truth: means.map((mean) => mean / all) }
}

/** The time to the next of events that come one in a unit of time. */
function wait(): number {
  return -Math.log(1 - Math.random())
}

/** Lognormal with a mean of 1. */
function uneven(sigma: number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random())
  return Math.exp(sigma * normal - (sigma * sigma) / 2)
}
