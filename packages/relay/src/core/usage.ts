/** Readings and buckets: how counters move on in time (rules R5, R15, R26). */

import { type State, USAGE_WIDTH } from './state.ts'
import { Column, Flag, STRIDE } from './table.ts'

export const CLIENT = 0
export const PEER = 1
export type Side = typeof CLIENT | typeof PEER

const row8 = new Float64Array(USAGE_WIDTH)

/** The bucket of a time: its start in seconds since the epoch, -1 for an unknown time. */
export function bucketOf(state: State, t: number): number {
  const ms = state.rules.bucketMs
  return t >= 0 ? (Math.floor(t / ms) * ms) / 1000 : -1
}

function pushUsage(state: State, id: number, bucket: number, side: Side, entry: number): void {
  if (row8[4] === 0 && row8[5] === 0 && row8[6] === 0 && row8[7] === 0) return
  row8[0] = id
  row8[1] = bucket
  row8[2] = side
  row8[3] = entry
  state.usage.pushFrom(row8, 0)
}

/** `a + b`, at most what a counter can hold: above that no reader could read the ledger again (rule R1). */
export function plus(a: number, b: number): number {
  return Math.min(a + b, Number.MAX_SAFE_INTEGER)
}

/** Adds `d0..d3` to the readings of one side, as counted between its last report and now. */
export function advance(state: State, row: number, side: Side, d0: number, d1: number, d2: number, d3: number): void {
  const cells = state.table.cells
  const base = row * STRIDE
  const at = base + (side === CLIENT ? Column.clientAt : Column.peerAt)
  const reading = base + (side === CLIENT ? Column.client : Column.peer)
  const from = cells[at]!
  const to = state.time.now
  if (Math.floor(to / state.rules.bucketMs) > Math.floor(from / state.rules.bucketMs)) {
    if ((cells[base + Column.flags]! & Flag.held) === 0) turn(state, row, side, from, to, [d0, d1, d2, d3])
  }
  cells[reading] = plus(cells[reading]!, d0)
  cells[reading + 1] = plus(cells[reading + 1]!, d1)
  cells[reading + 2] = plus(cells[reading + 2]!, d2)
  cells[reading + 3] = plus(cells[reading + 3]!, d3)
  cells[at] = to
  if ((cells[base + Column.flags]! & Flag.held) === 0) state.relayed.add(row, side, d0, d1, d2, d3)
}

/** Writes the buckets that end between `from` and `to`, the delta spread evenly and rounded down at each boundary. */
function turn(state: State, row: number, side: Side, from: number, to: number, delta: readonly number[]): void {
  const { bucketMs } = state.rules
  const cells = state.table.cells
  const base = row * STRIDE
  const reading = base + (side === CLIENT ? Column.client : Column.peer)
  const mark = base + (side === CLIENT ? Column.clientMark : Column.peerMark)
  for (let end = (Math.floor(from / bucketMs) + 1) * bucketMs; end <= to; end += bucketMs) {
    for (let k = 0; k < 4; k++) {
      const atEnd = plus(cells[reading + k]!, portion(delta[k]!, end - from, to - from))
      row8[4 + k] = atEnd - cells[mark + k]!
      cells[mark + k] = atEnd
    }
    pushUsage(state, cells[base]!, (end - bucketMs) / 1000, side, 0)
  }
}

/** That part of `delta`, rounded down; as a fraction, 49 x (1 / 49) would be rounded down to 0. */
function portion(delta: number, part: number, whole: number): number {
  const product = delta * part
  if (Number.isSafeInteger(product)) return Math.floor(product / whole)
  const exact = BigInt(delta) * BigInt(part)
  const quotient = exact / BigInt(whole)
  return Number(exact < 0n && quotient * BigInt(whole) !== exact ? quotient - 1n : quotient)
}

/** Writes what the open bucket holds: the allocation is over. */
export function flush(state: State, row: number): void {
  flushSide(state, row, CLIENT, Column.client, Column.clientMark, Column.clientAt)
  flushSide(state, row, PEER, Column.peer, Column.peerMark, Column.peerAt)
}

function flushSide(state: State, row: number, side: Side, readingAt: number, markAt: number, timeAt: number): void {
  const cells = state.table.cells
  const base = row * STRIDE
  for (let k = 0; k < 4; k++) {
    const reading = cells[base + readingAt + k]!
    row8[4 + k] = reading - cells[base + markAt + k]!
    cells[base + markAt + k] = reading
  }
  pushUsage(state, cells[base]!, bucketOf(state, cells[base + timeAt]!), side, 0)
}

/** Adds what came after the end, as an entry of its own in the present bucket; its last bucket is written already. */
export function correct(state: State, row: number, side: Side, d0: number, d1: number, d2: number, d3: number): void {
  const cells = state.table.cells
  const base = row * STRIDE
  const reading = base + (side === CLIENT ? Column.client : Column.peer)
  row8[4] = d0
  row8[5] = d1
  row8[6] = d2
  row8[7] = d3
  for (let k = 0; k < 4; k++) {
    const before = cells[reading + k]!
    cells[reading + k] = plus(before, row8[4 + k]!)
    row8[4 + k] = cells[reading + k]! - before
  }
  state.relayed.add(row, side, d0, d1, d2, d3)
  const entry = ++cells[base + Column.corrections]!
  pushUsage(state, cells[base]!, bucketOf(state, state.time.now), side, entry)
}
