/**
 * How much was relayed when, over the last hour: for a chart, nobody bills from it. coturn reports by count, so a
 * report tells of a time that is over: its bytes are laid out evenly over the time since the report before. What an
 * allocation has relayed since its last report nobody knows yet; it is estimated, and kept apart.
 */
import { Column, OVER, STRIDE, type Table } from './table.ts'

export const BIN_MS = 5000
/** An hour. */
const BINS = 720
/** The bin that is not over is kept as well. */
const KEPT = BINS + 1

/** Bytes of the client side by bin. */
export interface Flow {
  readonly received: Float64Array
  readonly sent: Float64Array
}

/** Bins that are over, the oldest first. */
export interface LastHour {
  /** End of the newest bin, milliseconds since the epoch. */
  readonly until: number
  readonly reported: Flow
  /** Estimated on top of that, for the reports that are still to come. */
  readonly awaited: Flow
}

export class Throughput {
  /** A ring of received and sent: bin n, which begins at n * `BIN_MS`, is the pair at n % `KEPT`. */
  readonly #bins = new Float64Array(KEPT * 2)
  #newest = -1

  /** Bytes that were counted between two times. Where these are the same nobody knows when: they are left out. */
  add(from: number, to: number, received: number, sent: number): void {
    if (!(to > from)) return
    const last = Math.floor(to / BIN_MS)
    if (last > this.#newest) this.#moveOn(last)
    const bins = this.#bins
    const first = Math.max(Math.floor(from / BIN_MS), this.#newest - BINS)
    let at = (first % KEPT) * 2
    let begin = Math.max(from, first * BIN_MS)
    for (let bin = first; bin <= last; bin++) {
      const end = bin === last ? to : (bin + 1) * BIN_MS
      const share = (end - begin) / (to - from)
      bins[at]! += received * share
      bins[at + 1]! += sent * share
      at = at + 2 === bins.length ? 0 : at + 2
      begin = end
    }
  }

  /** `since`: what was before is not told, since not all of it was heard. */
  read(table: Table, since: number, now: number): LastHour {
    const end = Math.floor(now / BIN_MS)
    this.#moveOn(end)
    const first = Math.max(end - BINS, Math.ceil(since / BIN_MS))
    const length = Math.max(0, end - first)
    const reported = (which: 0 | 1) =>
      Float64Array.from({ length }, (_, i) => this.#bins[((first + i) % KEPT) * 2 + which]!)
    return {
      until: end * BIN_MS,
      reported: { received: reported(0), sent: reported(1) },
      awaited: awaitedOf(table, first * BIN_MS, length, now),
    }
  }

  #moveOn(bin: number): void {
    for (let next = Math.max(this.#newest + 1, bin - BINS); next <= bin; next++) {
      this.#bins.fill(0, (next % KEPT) * 2, (next % KEPT) * 2 + 2)
    }
    this.#newest = Math.max(this.#newest, bin)
  }
}

/**
 * An open allocation is taken to go on as in its last report, but never to have relayed more than that since: coturn
 * would have reported again. So the estimate stands still for a steady call and fades when one falls silent.
 */
function awaitedOf({ cells, top }: Table, first: number, bins: number, now: number): Flow {
  const received = new Float64Array(bins + 1)
  const sent = new Float64Array(bins + 1)
  for (let base = 0; base < top * STRIDE; base += STRIDE) {
    if (cells[base] === 0 || (cells[base + Column.flags]! & OVER) !== 0) continue
    const from = cells[base + Column.clientAt]!
    const counts = cells[base + Column.client]! + cells[base + Column.client + 2]!
    if (!(now > from) || counts === 0) continue
    const last = cells[base + Column.rate]!
    // A gap makes it unknown, and an average has to do: a meter that was just started would show no call at all.
    const rate = last > 0 ? last : counts / (from - cells[base + Column.openedAt]!)
    if (!(rate > 0)) continue
    const perMs = Math.min(rate, cells[base + Column.lastCounts]! / (now - from)) / counts
    raise(received, first, from, perMs * cells[base + Column.client + 1]!)
    raise(sent, first, from, perMs * cells[base + Column.client + 3]!)
  }
  return { received: summedUp(received), sent: summedUp(sent) }
}

/** So much for each millisecond from then on, as steps from bin to bin. */
function raise(steps: Float64Array, first: number, from: number, perMs: number): void {
  const bin = Math.floor((from - first) / BIN_MS)
  if (bin >= steps.length - 1) return
  const inFirst = bin < 0 ? BIN_MS : first + (bin + 1) * BIN_MS - from
  steps[Math.max(bin, 0)]! += perMs * inFirst
  steps[Math.max(bin, 0) + 1]! += perMs * (BIN_MS - inFirst)
}

function summedUp(steps: Float64Array): Float64Array {
  let sum = 0
  return steps.subarray(0, -1).map((step) => {
    sum += step
    return sum
  })
}
