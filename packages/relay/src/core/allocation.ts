/** The fold: event by event, what is known of each allocation. Synchronous, the only writer of state. */
import { admit, admitted, deaf, find, gap, hold, insert, overflow, spansAGap } from './admission.ts'
import {
  awaitDeadline,
  bringUp,
  carryByClient,
  carryIfOver,
  close,
  countOn,
  Ended,
  endNow,
  expectPeer,
  finish,
  late,
  reject,
  sweep,
} from './ends.ts'
import { type Batch, hashPart, Kind, LOCAL, REMOTE } from './event.ts'
import { Move, pendingRows, retire, SPANS_A_GAP, type State, timeOf, touch, touchFacts } from './state.ts'
import { Column, Flag, STRIDE } from './table.ts'
import { advance, CLIENT, PEER, plus } from './usage.ts'

/** Takes a batch into the state. Events must come in the order of their stream. */
export function fold(state: State, batch: Batch): void {
  const { kind } = batch
  if (pendingRows(state) > state.rules.pendingMax) return refuse(state, batch)
  for (let i = 0; i < batch.length; i++) {
    const k = kind[i]!
    state.events[k]!++
    if (k === Kind.tick) tick(state, batch.n[i * 4]!)
    else if (k === Kind.from) from(state, batch.n[i * 4]!, batch.n[i * 4 + 1]!)
    else {
      state.stream.position++
      if (k === Kind.traffic) clientReport(state, batch, i)
      else if (k === Kind.trafficPeer) peerReport(state, batch, i)
      else rare(state, batch, i, k)
    }
  }
  batch.length = 0
}

/** The store has failed for so long that memory would run out: what comes now is not taken, and that is said. */
function refuse(state: State, batch: Batch): void {
  for (let i = 0; i < batch.length; i++) {
    const a = batch.n[i * 4]!
    if (batch.kind[i] === Kind.from) from(state, a, batch.n[i * 4 + 1]!)
    else if (batch.kind[i] === Kind.tick) state.time.now = a > state.time.now ? a : state.time.now
    else overflow(state)
  }
  batch.length = 0
}

function rare(state: State, batch: Batch, i: number, kind: number): void {
  switch (kind) {
    case Kind.opened:
    case Kind.refreshed:
    case Kind.present:
      return status(state, batch, i, kind)
    case Kind.deleted:
      return deleted(state, batch, i)
    case Kind.total:
      return clientTotal(state, batch, i)
    case Kind.totalPeer:
      return peerTotal(state, batch, i)
    case Kind.complete:
      return sumsAreTotals(state, batch, i)
    case Kind.closing:
      return closing(state, batch, i)
    case Kind.damaged:
      return damaged(state, batch, i)
    case Kind.gap:
      return gap(state, batch.n[i * 4]!, batch.n[i * 4 + 1]!, batch.n[i * 4 + 2]!)
    case Kind.deaf:
      return deaf(state, batch.n[i * 4]!)
    case Kind.restarted:
      return restarted(state, batch.n[i * 4]!)
    default:
      state.stream.malformed++
  }
}

/** The end of a recording: what waits for nothing but time is finished; what is open stays open (rule R27). */
export function finishRecording(state: State): void {
  for (const row of rowsInOrder(state)) {
    const flags = state.table.cells[row * STRIDE + Column.flags]!
    if ((flags & Flag.held) !== 0) reject(state, row)
    else if ((flags & Flag.expired) !== 0) continue
    else if ((flags & Flag.deleted) !== 0) finish(state, row)
    else carryByClient(state, row)
  }
}

/** Rows as they were first heard of: where they lie in the table depends on when the meter was started. */
function rowsInOrder({ table }: State): number[] {
  const { cells } = table
  const rows: number[] = []
  for (let row = 0; row < table.top; row++) if (cells[row * STRIDE] !== 0) rows.push(row)
  return rows.sort((a, b) => cells[a * STRIDE]! - cells[b * STRIDE]!)
}

/** The current stream's time never runs backwards (rule R24). */
function tick(state: State, t: number): void {
  if (t <= state.time.now) return
  state.time.now = t
  if (t >= state.time.sweepAt) sweep(state)
}

/** The meter's clock goes on, whoever was heard last. */
export function passTime(state: State, t: number): void {
  const { time } = state
  state.time = state.clock
  tick(state, t)
  state.time = time
}

function from(state: State, id: number, boot: number): void {
  const stream = state.streams.get(id)
  if (stream === undefined) throw new Error(`no stream ${id}: a source must announce its streams first`)
  state.stream = stream
  state.time = timeOf(state, stream)
  state.boot = boot
  if (boot <= stream.boot) return
  const { table } = state
  for (let row = 0; row < table.top && stream.peer; row++) {
    const ended = (table.cells[row * STRIDE + Column.flags]! & Flag.expired) !== 0
    if (table.cells[row * STRIDE] === 0 || table.streamOf(row) !== id || ended) continue
    expectPeer(state, row)
    touchFacts(state, row)
  }
  stream.boot = boot
  stream.peer = false
}

function clientReport(state: State, batch: Batch, i: number): void {
  let row = find(state, batch, i)
  if (row < 0) row = hold(state, batch, i)
  if (row < 0) return
  const { n } = batch
  const j = i * 4
  const d0 = n[j]!
  const d2 = n[j + 2]!
  const { cells } = state.table
  const base = row * STRIDE
  // The total holds every report, one that comes after it too (rules R5, R6).
  if ((cells[base + Column.flags]! & Flag.clientTotal) !== 0) return
  if ((cells[base + Column.flags]! & Flag.expired) !== 0) return late(state, row, CLIENT, d0, n[j + 1]!, d2, n[j + 3]!)
  carryByClient(state, row)
  // What can be missing at most (rule R16) changes with the first report.
  if (cells[base + Column.client]! + cells[base + Column.client + 2]! === 0) touchFacts(state, row)
  const counts = plus(d0, d2)
  spread(state, base, n[j + 1]!, n[j + 3]!)
  layOut(state, base, counts)
  advance(state, row, CLIENT, d0, n[j + 1]!, d2, n[j + 3]!)
  provesLife(state, base)
  touch(state, row)
}

/** The first report of an allocation whose `new` was missed tells of a time that nobody knows. */
function spread(state: State, base: number, received: number, sent: number): void {
  const { cells } = state.table
  const isFirst = cells[base + Column.client]! + cells[base + Column.client + 2]! === 0
  const flags = cells[base + Column.flags]!
  if ((flags & Flag.held) !== 0 || (isFirst && (flags & Flag.fromStart) === 0)) return
  state.throughput.add(cells[base + Column.clientAt]!, state.time.now, received, sent)
}

/**
 * Rule R25. Were this report the last one, relaying went on for as long as the last full report's rate needs for it; a
 * full report (for client counters alone, a multiple of 2048) is relayed up to now.
 */
function layOut(state: State, base: number, counts: number): void {
  const { cells } = state.table
  const from = cells[base + Column.clientAt]!
  const rate = cells[base + Column.rate]!
  const isFull = !state.stream.peer && counts > 0 && counts % 2048 === 0
  if (isFull) cells[base + Column.relayTo] = state.time.now
  else if (rate > 0) cells[base + Column.relayTo] = Math.min(from + counts / rate, state.time.now)
  cells[base + Column.rate] =
    rate !== SPANS_A_GAP && state.time.now > from ? counts / (state.time.now - from) : Number.NaN
  cells[base + Column.lastCounts] = counts
}

function peerReport(state: State, batch: Batch, i: number): void {
  let row = find(state, batch, i)
  if (row < 0) row = hold(state, batch, i)
  if (row < 0) return
  const { n } = batch
  const j = i * 4
  const { cells } = state.table
  const base = row * STRIDE
  const flags = cells[base + Column.flags]!
  if ((flags & Flag.peerTotal) !== 0) return
  if ((flags & Flag.peer) === 0) touchFacts(state, row)
  cells[base + Column.flags] = flags | Flag.peer
  state.stream.peer = true
  if ((flags & Flag.expired) !== 0) return late(state, row, PEER, n[j]!, n[j + 1]!, n[j + 2]!, n[j + 3]!)
  advance(state, row, PEER, n[j]!, n[j + 1]!, n[j + 2]!, n[j + 3]!)
  const counts = cells[base + Column.lastCounts]! + n[j]! + n[j + 2]!
  if (counts > 0 && counts % 4096 === 0) cells[base + Column.relayTo] = cells[base + Column.clientAt]!
  if ((flags & (Flag.carrier | Flag.held)) === 0) carryIfOver(state, row, Column.peer)
  provesLife(state, base)
  touch(state, row)
}

/** Traffic after the lifetime ran out proves refreshes that were not heard (rule R14). */
function provesLife(state: State, base: number): void {
  if (state.time.now > state.table.cells[base + Column.expiresAt]!) countOn(state.table.cells, base, state.time.now)
}

function status(state: State, batch: Batch, i: number, kind: number): void {
  const isNew = kind === Kind.opened
  const isFound = kind === Kind.present
  let row = find(state, batch, i)
  const other = row >= 0 ? otherThan(state, batch, i, row, isNew) : 'same'
  const ambiguous = other === 'ambiguous'
  if (ambiguous) state.table.cells[row * STRIDE + Column.flags]! |= Flag.ambiguous
  if (other !== 'same') {
    endNow(state, row, Ended.superseded)
    row = -1
  }
  if (row < 0) row = insert(state, batch, i)
  if (row < 0) return
  const { cells } = state.table
  const base = row * STRIDE
  if (ambiguous) cells[base + Column.flags]! |= Flag.ambiguous
  // A refresh that comes after the end changes no times (rules R7, R15).
  if ((cells[base + Column.flags]! & (Flag.deleted | Flag.expired)) !== 0) return
  // What is kept says nothing new of an allocation that is known (rule R34).
  if (isFound && (cells[base + Column.flags]! & Flag.held) === 0) return
  admit(state, row, isNew)
  describe(state, batch, i, row)
  const lifetime = batch.n[i * 4]!
  if (kind === Kind.refreshed) cells[base + Column.refreshes]!++
  if (lifetime > 0) cells[base + Column.lifetime] = lifetime
  else if (!isFound) cells[base + Column.goodbyeAt] = state.time.now
  cells[base + Column.expiresAt] = state.time.now + lifetime * 1000
  cells[base + Column.flags]! &= ~Flag.refreshGap
  awaitDeadline(state, row)
  touchFacts(state, row)
}

/** Whether this status is of another allocation than the row's (rules R2, R4). */
function otherThan(state: State, batch: Batch, i: number, row: number, isNew: boolean): 'same' | 'other' | 'ambiguous' {
  const { cells } = state.table
  const base = row * STRIDE
  const flags = cells[base + Column.flags]!
  if ((flags & Flag.held) !== 0) return 'same'
  const server = hashPart(LOCAL, batch.bytes, batch.textStart[i]!, batch.textEnd[i]!)
  const client = hashPart(REMOTE, batch.bytes, batch.textStart[i]!, batch.textEnd[i]!)
  if (differs(server, cells[base + Column.serverHash]!)) {
    return state.stream.bootAware || (flags & (Flag.deleted | Flag.expired)) !== 0 ? 'other' : 'ambiguous'
  }
  const missedNew = (flags & Flag.refreshGap) !== 0 && differs(client, cells[base + Column.clientHash]!)
  return isNew || missedNew ? 'other' : 'same'
}

/** Two known addresses that are not the same. */
function differs(a: number, b: number): boolean {
  return a !== 0 && b !== 0 && a !== b
}

/** Keeps the addresses and words of the status, once; a changed client address (mobility) is kept anew. */
function describe(state: State, batch: Batch, i: number, row: number): void {
  const { cells } = state.table
  const base = row * STRIDE
  const start = batch.textStart[i]!
  const end = batch.textEnd[i]!
  const client = hashPart(REMOTE, batch.bytes, start, end)
  const flags = cells[base + Column.flags]!
  if (client === 0 || ((flags & Flag.described) !== 0 && client === cells[base + Column.clientHash]!)) return
  cells[base + Column.flags]! |= Flag.described
  cells[base + Column.clientHash] = client
  cells[base + Column.serverHash] = hashPart(LOCAL, batch.bytes, start, end)
  state.moves.pushText(Move.described, cells[base]!, 0, 0, batch.bytes, start, end)
}

function deleted(state: State, batch: Batch, i: number): void {
  const row = admitted(state, batch, i, false)
  if (row < 0) return
  const flags = state.table.cells[row * STRIDE + Column.flags]!
  if ((flags & (Flag.deleted | Flag.expired)) === 0) markDeleted(state, row)
  else if ((flags & Flag.deleted) === 0) {
    state.table.cells[row * STRIDE + Column.flags] = flags | Flag.deleted
    touchFacts(state, row)
  }
}

function markDeleted(state: State, row: number): void {
  close(state, row, Ended.deleted, state.time.now)
  state.table.cells[row * STRIDE + Column.flags]! |= Flag.deleted
  awaitDeadline(state, row)
}

function clientTotal(state: State, batch: Batch, i: number): void {
  const row = admitted(state, batch, i, false)
  if (row < 0) return
  const { cells } = state.table
  const base = row * STRIDE
  if ((cells[base + Column.flags]! & (Flag.deleted | Flag.expired)) === 0) markDeleted(state, row)
  const d = [0, 0, 0, 0]
  for (let k = 0; k < 4; k++) {
    d[k] = batch.n[i * 4 + k]! - cells[base + Column.client + k]!
    if (d[k]! < 0) cells[base + Column.flags]! |= Flag.ambiguous
  }
  cells[base + Column.flags]! |= Flag.clientTotal
  complete(state, row, CLIENT, d)
}

/** The smallest value that is at least the sum of the reports and equals the total modulo 2^32 (rule R6). */
function peerTotal(state: State, batch: Batch, i: number): void {
  const row = admitted(state, batch, i, false)
  if (row < 0) return
  const { cells } = state.table
  const base = row * STRIDE
  if ((cells[base + Column.flags]! & (Flag.deleted | Flag.expired)) === 0) markDeleted(state, row)
  const d = [0, 0, 0, 0]
  for (let k = 0; k < 4; k++) {
    const above = (batch.n[i * 4 + k]! - cells[base + Column.peer + k]!) % WRAP
    d[k] = above < 0 ? above + WRAP : above
  }
  cells[base + Column.flags]! |= Flag.peerTotal | Flag.peer
  state.stream.peer = true
  complete(state, row, PEER, d)
  const flags = cells[base + Column.flags]!
  if ((flags & (Flag.carrier | Flag.expired)) === 0) carryIfOver(state, row, Column.peer)
  if ((flags & Flag.expired) === 0) finish(state, row)
  else retire(state, row)
}

/** How a session was closed; those that never had an allocation are told of too, and nobody's. */
function closing(state: State, batch: Batch, i: number): void {
  const row = find(state, batch, i)
  if (row < 0) return
  const id = state.table.cells[row * STRIDE]!
  state.moves.pushText(Move.described, id, 0, 0, batch.bytes, batch.textStart[i]!, batch.textEnd[i]!)
}

/** What is lost of one allocation is a gap in its life alone (rules R16, R40). */
function damaged(state: State, batch: Batch, i: number): void {
  const row = find(state, batch, i)
  if (row >= 0) spansAGap(state, row)
}

/** What a log tells at the end, if it was read from the start (rule R16). */
function sumsAreTotals(state: State, batch: Batch, i: number): void {
  const row = find(state, batch, i)
  if (row < 0) return
  const base = row * STRIDE
  const { cells } = state.table
  if ((cells[base + Column.flags]! & (Flag.fromStart | Flag.gap)) === Flag.fromStart) {
    cells[base + Column.flags]! |= Flag.clientTotal
    if ((cells[base + Column.flags]! & Flag.peer) !== 0) cells[base + Column.flags]! |= Flag.peerTotal
  }
  if ((cells[base + Column.flags]! & Flag.expired) === 0) return finish(state, row)
  // Given up already: what is learnt late changes the record (rules R15, R23).
  state.moves.push(Move.late, cells[base]!, state.time.now)
  retire(state, row)
}

const WRAP = 2 ** 32

/** Brings one side up to its total. */
function complete(state: State, row: number, side: 0 | 1, d: readonly number[]): void {
  const { cells } = state.table
  const isOver = (cells[row * STRIDE + Column.flags]! & Flag.expired) !== 0
  bringUp(state, row, side, d, isOver)
  touchFacts(state, row)
  if (isOver) state.moves.push(Move.late, cells[row * STRIDE]!, state.time.now)
}

function restarted(state: State, boot: number): void {
  const { table, stream } = state
  for (const row of rowsInOrder(state)) {
    if (table.streamOf(row) === stream.id && table.bootOf(row) <= boot) endNow(state, row, Ended.restarted)
  }
}
