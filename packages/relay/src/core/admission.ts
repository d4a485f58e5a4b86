/** Which row an event belongs to, and whether it may count (rules R10 to R12). */
import { awaitDeadline, carryIfOver, countOn, lapse, reject } from './ends.ts'
import { type Batch, gapReasons, readPath } from './event.ts'
import { Move, SPANS_A_GAP, type State, touchFacts } from './state.ts'
import { Column, Flag, STRIDE } from './table.ts'
import { CLIENT, PEER } from './usage.ts'

/** The row of the event's path, or -1. What was due for it before this event is done first. */
export function find(state: State, batch: Batch, i: number): number {
  const row = state.table.find(state.stream.id, state.boot, batch.bytes, batch.pathStart[i]!, batch.pathEnd[i]!)
  // What has expired may be due to be forgotten at once.
  return row >= 0 && lapse(state, row) && lapse(state, row) ? row : -1
}

/** A new row, held until it proves real; -1 when the meter is full, which is a gap. */
export function insert(state: State, batch: Batch, i: number): number {
  const { table } = state
  if (table.size + state.dropped.rows >= state.rules.allocationsMax) return overflow(state)
  const start = batch.pathStart[i]!
  const end = batch.pathEnd[i]!
  const row = table.insert(state.stream.id, state.boot, batch.bytes, start, end)
  const base = row * STRIDE
  const { cells } = table
  cells[base] = state.nextId++
  for (const column of UNKNOWN) cells[base + column] = Number.NaN
  cells[base + Column.heardAt] = state.time.now
  cells[base + Column.clientAt] = state.time.now
  cells[base + Column.peerAt] = state.time.now
  cells[base + Column.flags] = Flag.held
  touchFacts(state, row)
  state.moves.pushText(Move.heard, cells[base]!, state.stream.id, state.boot, batch.bytes, start, end)
  awaitDeadline(state, row)
  return row
}

const UNKNOWN = [Column.rate, Column.relayTo, Column.expiresAt, Column.openedAt, Column.goodbyeAt, Column.closedAt]

/** An event that cannot be taken is a gap, told once a second. */
export function overflow(state: State): number {
  if (Math.abs(state.time.now - state.lastOverflow) >= 1000 || state.lastOverflow === Number.NEGATIVE_INFINITY) {
    state.lastOverflow = state.time.now >= 0 ? state.time.now : 0
    gap(state, state.time.now, state.time.now, gapReasons.indexOf('overflow'))
  }
  return -1
}

/** A report for an unknown path: its bytes wait until the path proves real (rules R10, R11). */
export function hold(state: State, batch: Batch, i: number): number {
  const { id } = state.stream
  const rows = state.held.get(id) ?? new Set()
  state.held.set(id, rows)
  const oldest = rows.size >= state.rules.heldMax ? rows.values().next().value : undefined
  if (oldest !== undefined) reject(state, oldest)
  const row = insert(state, batch, i)
  if (row >= 0) rows.add(row)
  return row
}

/** The row of an allocation that this event proves real, opened now if it was unknown. */
export function admitted(state: State, batch: Batch, i: number, isNew: boolean): number {
  let row = find(state, batch, i)
  if (row < 0) row = insert(state, batch, i)
  if (row >= 0) admit(state, row, isNew)
  return row
}

/** The allocation is real. */
export function admit(state: State, row: number, isNew: boolean): void {
  const { cells } = state.table
  const base = row * STRIDE
  const flags = cells[base + Column.flags]!
  if ((flags & Flag.held) === 0) return
  cells[base + Column.flags] = flags & ~Flag.held
  if (isNew) {
    cells[base + Column.openedAt] = state.time.now
    // What was reported before may be of a former start of coturn, which had the same path.
    if (!hasCounted(cells, base)) cells[base + Column.flags]! |= Flag.fromStart
  }
  state.held.get(state.table.streamOf(row))?.delete(row)
  state.relayed.place(row, readPath(state.table.pathOf(row)).realm)
  for (const side of [CLIENT, PEER] as const) {
    const at = base + (side === CLIENT ? Column.client : Column.peer)
    state.relayed.add(row, side, cells[at]!, cells[at + 1]!, cells[at + 2]!, cells[at + 3]!)
  }
  touchFacts(state, row)
  state.moves.push(Move.opened, cells[base]!, state.time.now)
  if ((flags & Flag.peer) !== 0) carryIfOver(state, row, Column.peer)
}

function hasCounted(cells: Float64Array, base: number): boolean {
  return cells.subarray(base + Column.client, base + Column.client + 8).some((count) => count > 0)
}

/** The current stream is not heard: nothing of it expires meanwhile, and what it says next comes after a gap. */
export function deaf(state: State, since: number): void {
  if (Number.isNaN(state.stream.deafSince)) state.deaf++
  state.stream.deafSince = since
}

/** Events of the current stream may have been lost (rules R14, R17). */
export function gap(state: State, began: number, ended: number, why: number): void {
  const { table, stream } = state
  state.gapCount++
  if (began <= stream.deafSince) {
    stream.deafSince = Number.NaN
    state.deaf--
    // What could not expire may be due.
    state.time.sweepAt = Math.min(state.time.sweepAt, state.time.now)
  }
  state.gaps.push({ stream: stream.id, began, ended, why: gapReasons[why]! })
  for (let row = 0; row < table.top; row++) {
    const base = row * STRIDE
    if (table.cells[base] === 0 || table.streamOf(row) !== stream.id) continue
    table.cells[base + Column.flags]! |= Flag.refreshGap
    countOn(table.cells, base, ended)
    touchFacts(state, row)
    if ((table.cells[base + Column.flags]! & Flag.expired) !== 0) {
      // It loses nothing by a gap that came after its end, and may by one that is only told after (rules R16, R23).
      if (!(began < table.cells[base + Column.closedAt]!) && why !== DAMAGE) continue
      state.moves.push(Move.late, table.cells[base]!, state.time.now)
    }
    spansAGap(state, row)
  }
}

/** A damaged line may be of any time of any allocation. */
const DAMAGE = gapReasons.indexOf('damage')

/** A report of this row may be missing. */
export function spansAGap(state: State, row: number): void {
  const base = row * STRIDE
  state.table.cells[base + Column.flags]! |= Flag.gap
  state.table.cells[base + Column.rate] = SPANS_A_GAP
  touchFacts(state, row)
}
