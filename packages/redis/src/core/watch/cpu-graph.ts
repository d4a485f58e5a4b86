/** The CPU of a core over time, in letters. */
import type { Facts } from '../facts.ts'
import { type Load, slicesOf } from '../load.ts'

const BLOCKS = Array.from(' ▁▂▃▄▅▆▇█')
const STEPS = BLOCKS.length - 1
const LABEL = 6

/** A column for each of the last seconds that fit, the newest on the right. Empty: nothing is known, or no room. */
export function cpuGraph(facts: Facts, seconds: number, width: number, height: number): string[] {
  const columns = Math.min(seconds, width - LABEL)
  const shares = secondsBack(slicesOf(facts), columns).reverse()
  if (shares.length === 0) return []
  const label = (row: number) => (height === 1 ? 'CPU' : row === 0 ? '100 %' : row === height - 1 ? '0 %' : '')
  return Array.from({ length: height }, (_, row) => {
    const floor = (height - 1 - row) * STEPS
    const letters = shares.map((share) => BLOCKS[Math.min(STEPS, Math.max(0, levelOf(share, height) - floor))])
    return `${label(row).padEnd(LABEL)}${letters.join('').padStart(columns)}`
  })
}

/** Something is drawn for nothing too, so that one sees that it was looked at. */
const levelOf = (share: number, height: number) => Math.max(1, Math.round(Math.min(1, share) * STEPS * height))

/** The share of a core in each second, the last one first. */
function secondsBack(slices: readonly Load[], most: number): number[] {
  const shares: number[] = []
  let told = 0
  for (const { seconds, userSeconds, kernelSeconds } of slices.toReversed()) {
    if (!seconds || userSeconds === null || kernelSeconds === null) return shares
    told += seconds
    while (shares.length < Math.min(most, Math.round(told))) shares.push((userSeconds + kernelSeconds) / seconds)
  }
  return shares
}
