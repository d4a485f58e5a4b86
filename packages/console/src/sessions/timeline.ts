/** Usage in buckets of 5 minutes, ready to be drawn. */
import type { SessionDetail } from '@fettle/relay/api'

export const BUCKET_MS = 300_000
/** More would be thinner than a line: neighbours are then added up. */
const MOST_BARS = 288

export interface Bar {
  /** Start, milliseconds since the epoch. */
  readonly at: number
  readonly received: number
  readonly sent: number
}

export interface Bars {
  readonly bars: readonly Bar[]
  /** How long one bar is. */
  readonly widthMs: number
  /** Bytes that came after the end of their allocation, or without a time: in no bar. */
  readonly late: number
}

/** The client side, all allocations together. Empty buckets between the first and the last are bars of nothing. */
export function barsOf(timeline: SessionDetail['timeline']): Bars {
  const sums = new Map<number, { received: number; sent: number }>()
  let late = 0
  for (const { at, side, late: isLate, counters } of timeline) {
    if (side !== 'client') continue
    if (isLate || at === null) {
      late += counters.receivedBytes + counters.sentBytes
      continue
    }
    const sum = sums.get(Date.parse(at)) ?? { received: 0, sent: 0 }
    sum.received += counters.receivedBytes
    sum.sent += counters.sentBytes
    sums.set(Date.parse(at), sum)
  }
  if (sums.size === 0) return { bars: [], widthMs: BUCKET_MS, late }
  const times = Array.from(sums.keys()).sort((a, b) => a - b)
  const first = times[0]!
  const buckets = (times.at(-1)! - first) / BUCKET_MS + 1
  const widthMs = BUCKET_MS * Math.ceil(buckets / MOST_BARS)
  const bars = Array.from({ length: Math.ceil((buckets * BUCKET_MS) / widthMs) }, (_, i) => ({
    at: first + i * widthMs,
    received: 0,
    sent: 0,
  }))
  for (const [at, { received, sent }] of sums) {
    const bar = bars[Math.floor((at - first) / widthMs)]!
    bar.received += received
    bar.sent += sent
  }
  return { bars, widthMs, late }
}
