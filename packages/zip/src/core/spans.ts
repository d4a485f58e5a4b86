/** Which bytes of an archive are read together: entries that lie near each other are one piece. */
import { type Columns, nameStart } from './directory.ts'
import { LOCAL_SIZE } from './local.ts'

/** What makes reading an archive quick. */
export interface Pace {
  /** How much may be read in vain, as a share of what is wanted, to read in fewer pieces. */
  readonly waste: number
  /** A gap of this many bytes between two wanted pieces is never worth a piece more. */
  readonly gap: number
  /** The largest piece that is read at once, bytes. */
  readonly piece: number
  /** So many reads at a time. */
  readonly parallel: number
}

/** In columns; the entries of a piece are `order` from `first` up to that of the next one. */
export interface Spans {
  readonly count: number
  readonly start: Float64Array
  readonly end: Float64Array
  /** One more than there are pieces: where the last one ends. */
  readonly first: Uint32Array
}

/**
 * What a local header may have beyond what the directory says of its entry: the fields of Info-ZIP have 28 bytes. One
 * that has more costs a read more.
 */
export const SLACK = 32

/** The entry's bytes, as far as the directory tells: where its local header begins, and where its data end at least. */
export const reach = (columns: Columns, entry: number) =>
  columns.offset[entry]! +
  LOCAL_SIZE +
  (columns.nameEnd[entry]! - nameStart(columns, entry)) +
  columns.compressed[entry]!

/** Sorted by where they lie in the archive. */
export function byOffset({ offset }: Columns, entries: Uint32Array): Uint32Array {
  const isSorted = entries.every((entry, i) => i === 0 || offset[entries[i - 1]!]! <= offset[entry]!)
  return isSorted ? entries : entries.sort((one, other) => offset[one]! - offset[other]! || one - other)
}

/**
 * `order`: entries by their offset. `stop`: where the last data can end. Gaps are read over while that wastes less than
 * the pace allows, the smallest first: each costs bytes and saves a request.
 */
export function spansOf(columns: Columns, order: Uint32Array, stop: number, pace: Pace): Spans {
  const gap = widestGap(columns, order, pace)
  const starts = new Float64Array(new SharedArrayBuffer(order.length * 8))
  const ends = new Float64Array(new SharedArrayBuffer(order.length * 8))
  const first = new Uint32Array(new SharedArrayBuffer((order.length + 1) * 4))
  let count = 0
  for (let i = 0; i < order.length; i++) {
    const entry = order[i]!
    const start = columns.offset[entry]!
    const end = Math.min(reach(columns, entry) + SLACK, stop)
    const last = count - 1
    if (count > 0 && start - ends[last]! <= gap && end - starts[last]! <= pace.piece) {
      ends[last] = Math.max(ends[last]!, end)
      continue
    }
    starts[count] = start
    ends[count] = end
    first[count++] = i
  }
  first[count] = order.length
  return { count, start: starts, end: ends, first }
}

function widestGap(columns: Columns, order: Uint32Array, { waste, gap }: Pace): number {
  const gaps: number[] = []
  let wanted = 0
  for (let i = 1; i < order.length; i++) {
    const between = columns.offset[order[i]!]! - reach(columns, order[i - 1]!) - SLACK
    wanted += columns.compressed[order[i]!]!
    if (between > 0 && between <= gap) gaps.push(between)
  }
  let left = wanted * waste
  let widest = 0
  for (const between of Float64Array.from(gaps).sort()) {
    left -= between
    // Of gaps that are alike all are read over or none.
    if (left < 0) return Math.min(widest, between - 1)
    widest = between
  }
  return widest
}
