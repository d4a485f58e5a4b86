/** What the fold knows: the live allocations, and what has happened since the last cut. */
import { type GapReason, Kind } from './event.ts'
import { Relayed } from './relayed.ts'
import { type Bytes, Moves, NumberRows, type Numbers } from './rows.ts'
import { FACTS, grown, HOT, STRIDE, Table } from './table.ts'
import { Throughput } from './throughput.ts'

/** The numbers in the rules of ../../README.md. Times in milliseconds. */
export interface Rules {
  /** R26 */
  readonly bucketMs: number
  /** R14 */
  readonly graceMs: number
  /** R7 */
  readonly settleMs: number
  /** R10 */
  readonly holdMs: number
  /** R15 */
  readonly rememberMs: number
  /** R20 */
  readonly carryBytes: number
  /** R11 */
  readonly heldMax: number
  readonly rejectedMax: number
  /** Allocations in memory, live and closed-unwritten together; beyond it events are a gap. */
  readonly allocationsMax: number
  /** Rows that wait to be written; beyond it (a store that fails for long) events are a gap too. */
  readonly pendingMax: number
}

const SECOND = 1000
const HOUR = 3600 * SECOND

export const rules: Rules = Object.freeze({
  bucketMs: 300 * SECOND,
  graceMs: 60 * SECOND,
  settleMs: 10 * SECOND,
  holdMs: 2 * HOUR,
  rememberMs: 24 * HOUR,
  carryBytes: 65536,
  heldMax: 4096,
  rejectedMax: 1000,
  allocationsMax: 4_000_000,
  pendingMax: 8_000_000,
})

/** A time that passes by itself (rule R43). */
export interface Timeline {
  /** Milliseconds since the epoch; NaN: not known yet. */
  now: number
  /** When something will be due next. */
  sweepAt: number
}

/** One source of events, as far as it can tell them apart: a named server, a recording. */
export interface Stream {
  readonly id: number
  readonly name: string
  /** The source tells servers and boots apart (rule R3). */
  readonly bootAware: boolean
  /** coturn's version where the operator gave it; for its known faults (rule R18). */
  readonly version: string | null
  boot: number
  /** Events folded so far. */
  position: number
  /** Until when the stream was listened to, as of the last cut; NaN before the first. */
  heardAt: number
  /** It is not heard since then; NaN: it is. */
  deafSince: number
  /** A peer event was heard in this boot. */
  peer: boolean
  /** Where its source goes on reading; only the source knows what it means. Kept with what was read up to there. */
  cursor: string | null
  /** Its own time; null: it goes by the meter's clock. */
  readonly time: Timeline | null
  /** Its source is reading what is of its own time: nothing after that is final yet (rule R43). */
  isAwaited: boolean
  malformed: number
}

/** Bytes reported under a name that never proved real (rule R10). */
export interface Rejected {
  readonly stream: number
  /** null: the names beyond the limit, together (rule R11). */
  readonly realm: string | null
  readonly username: string | null
  readonly firstAt: number
  lastAt: number
  allocations: number
  readonly client: Float64Array
  readonly peer: Float64Array
}

/** A time in which events may have been lost (rule R17). */
export interface Gap {
  readonly stream: number
  readonly began: number
  readonly ended: number
  readonly why: GapReason
}

/**
 * What happened to an allocation, in order: `MOVE_WIDTH` numbers, and for `heard` and `described` a run of text bytes.
 * The store turns moves into rows and session labels; all else in a cut is absolute.
 */
export const Move = {
  /** First heard of; text = its path, a = stream, b = boot. */
  heard: 0,
  /** Proved real at t. */
  opened: 1,
  /** Began to carry at t, which became known at a. */
  carrying: 2,
  /** Closed as of t, which became known at a; b = how it ended. */
  closed: 3,
  /** Changed at t after its end. */
  late: 4,
  /** Text = a status payload with new addresses, or how its session was closed. */
  described: 5,
  /** Never proved real. */
  rejected: 6,
  /** Its record is complete, as far as anyone can tell. */
  finished: 7,
  /** Made whole from a second source; closed as of t if that is known now; b = 1 when it carries. */
  reconciled: 8,
  /** Never heard of, and added by a second source: open from t to a; b = 1 when it carries. */
  added: 9,
} as const
/** id, bucket (start, seconds since the epoch; -1 when time is unknown), side, entry, and four counters. */
export const USAGE_WIDTH = 8

export interface State {
  readonly rules: Rules
  readonly table: Table
  readonly streams: Map<number, Stream>
  readonly rejected: Map<string, Rejected>
  /** Rows held, oldest first, by stream. */
  readonly held: Map<number, Set<number>>
  nextId: number
  /** The time of all streams that have none of their own. */
  readonly clock: Timeline
  /** The time of the current stream. */
  time: Timeline
  stream: Stream
  boot: number
  /** Streams that are not heard now. */
  deaf: number
  lastOverflow: number
  /** Since the last cut. */
  dirty: Int32Array
  dirtyCount: number
  /** By row: bit 1 = live columns changed, bit 2 = facts changed. */
  marks: Uint8Array
  readonly moves: Moves
  readonly live: NumberRows
  readonly facts: NumberRows
  readonly usage: NumberRows
  readonly dropped: NumberRows
  gaps: Gap[]
  /** Since the start: events by kind, gaps, and what was relayed. */
  readonly events: Float64Array
  gapCount: number
  readonly relayed: Relayed
  readonly throughput: Throughput
  readonly rejectedChanged: Set<Rejected>
}

/** A stream of which nothing has been heard yet. */
export function createStream(id: number, name: string, bootAware: boolean, version: string | null = null): Stream {
  const nothing = { boot: 0, position: 0, peer: false, cursor: null, time: null, isAwaited: false, malformed: 0 }
  return { id, name, bootAware, version, heardAt: Number.NaN, deafSince: Number.NaN, ...nothing }
}

const KINDS = Object.keys(Kind).length

/** An empty meter. `seed` varies the hash table's order and nothing else. */
export function createState(numbers: Partial<Rules> = {}, seed = 0, capacity = 1024): State {
  const clock: Timeline = { now: Number.NaN, sweepAt: 0 }
  return {
    rules: Object.freeze({ ...rules, ...numbers }),
    table: new Table(capacity, seed),
    streams: new Map(),
    rejected: new Map(),
    held: new Map(),
    nextId: 1,
    clock,
    time: clock,
    stream: createStream(-1, '', false),
    boot: 0,
    deaf: 0,
    lastOverflow: Number.NEGATIVE_INFINITY,
    dirty: new Int32Array(1024),
    dirtyCount: 0,
    marks: new Uint8Array(1024),
    moves: new Moves(),
    live: new NumberRows(HOT),
    facts: new NumberRows(FACTS),
    usage: new NumberRows(USAGE_WIDTH),
    dropped: new NumberRows(1),
    gaps: [],
    events: new Float64Array(KINDS),
    gapCount: 0,
    relayed: new Relayed(),
    throughput: new Throughput(),
    rejectedChanged: new Set(),
  }
}

/** A rate that the next report, whose interval spans a gap, must neither use nor replace (rule R25). */
export const SPANS_A_GAP = -1

const LIVE = 1
const FACT = 2

/** The row's counters changed. */
export function touch(state: State, row: number): void {
  mark(state, row, LIVE)
}

/** Something changed that is written to the allocation's own row as well. */
export function touchFacts(state: State, row: number): void {
  mark(state, row, LIVE | FACT)
}

function mark(state: State, row: number, bits: number): void {
  if (row >= state.marks.length) state.marks = grown(state.marks, row + 1)
  const had = state.marks[row]!
  state.marks[row] = had | bits
  if (had !== 0) return
  if (state.dirtyCount >= state.dirty.length) state.dirty = grown(state.dirty, state.dirtyCount + 1)
  state.dirty[state.dirtyCount++] = row
}

/** Takes the row out of memory, with all that is known of it written to the allocation's own row. */
export function retire(state: State, row: number): void {
  const base = row * STRIDE
  state.facts.pushFrom(state.table.cells, base)
  forget(state, row)
}

/** Takes the row out of memory, writing nothing. */
export function forget(state: State, row: number): void {
  state.dropped.pushFrom(state.table.cells, row * STRIDE)
  state.held.get(state.table.streamOf(row))?.delete(row)
  // The row may be in the dirty list still; a mark of 0 makes `take` pass over it, unless it is used anew meanwhile.
  if (row < state.marks.length) state.marks[row] = 0
  state.table.remove(row)
}

/** All that happened since the last cut. Its rows are absolute: writing a cut twice changes nothing. */
export interface Cut {
  /** Up to then all is heard. */
  readonly now: number
  readonly streams: readonly Stream[]
  /** Rows of `MOVE_WIDTH`; their texts follow each other in `text`. */
  readonly moves: Numbers
  readonly text: Bytes
  /** Rows of the first `FACTS` columns. */
  readonly facts: Numbers
  /** Rows of the first `HOT` columns, by ascending id. */
  readonly live: Numbers
  readonly usage: Numbers
  /** Ids that left memory. */
  readonly dropped: Numbers
  readonly gaps: readonly Gap[]
  readonly rejected: readonly Rejected[]
}

/** Number of rows a cut would hold now. */
export function pendingRows(state: State): number {
  return state.dirtyCount + state.facts.rows + state.usage.rows + state.moves.count + state.gaps.length
}

/** Cuts: hands over what is to be written and begins anew. */
export function take(state: State): Cut {
  const { table, marks, dirty } = state
  const cells = table.cells
  const rows: number[] = []
  for (let i = 0; i < state.dirtyCount; i++) {
    const row = dirty[i]!
    const bits = marks[row]!
    marks[row] = 0
    if (bits === 0) continue
    if ((bits & FACT) !== 0) state.facts.pushFrom(cells, row * STRIDE)
    rows.push(row)
  }
  state.dirtyCount = 0
  pushLive(state.live, cells, rows)
  for (const stream of state.streams.values()) {
    stream.heardAt = Number.isNaN(stream.deafSince) ? timeOf(state, stream).now : stream.deafSince
  }
  const cut: Cut = {
    now: knownUntil(state),
    streams: Array.from(state.streams.values(), (stream) => ({ ...stream })),
    ...state.moves.take(),
    facts: state.facts.take(),
    live: state.live.take(),
    usage: state.usage.take(),
    dropped: state.dropped.take(),
    gaps: state.gaps,
    rejected: Array.from(state.rejectedChanged, (one) => ({
      ...one,
      client: one.client.slice(),
      peer: one.peer.slice(),
    })),
  }
  state.gaps = []
  state.rejectedChanged.clear()
  return cut
}

/** The time by which a stream goes. */
export const timeOf = ({ clock }: State, { time }: Stream): Timeline => time ?? clock

/** Up to then all is heard: what comes later must find its session as it was (rule R43). */
function knownUntil({ clock, streams }: State): number {
  let t = clock.now
  for (const { time, isAwaited } of streams.values()) if (time !== null && isAwaited && !(time.now >= t)) t = time.now
  return t
}

/** Ascending ids make the store's B-tree walk its pages once, in order: measured, a sixth of the store's time. */
function pushLive(live: NumberRows, cells: Float64Array, rows: readonly number[]): void {
  // Id and row in one number: sorting numbers natively is three times as fast as with a comparison of our own.
  const keys = Float64Array.from(rows, (row) => cells[row * STRIDE]! * ROWS_MAX + row).sort()
  for (let i = 0; i < keys.length; i++) live.pushFrom(cells, (keys[i]! % ROWS_MAX) * STRIDE)
}

/** Room for 4 million rows and 2^31 ids in one safe integer. */
const ROWS_MAX = 2 ** 22
