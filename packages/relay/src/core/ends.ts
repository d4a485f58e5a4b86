/** How allocations end, and when (rules R7, R10, R13 to R15). */

import { readPath } from './event.ts'
import { forget, Move, type Rejected, retire, type State, timeOf, touchFacts } from './state.ts'
import { Column, Flag, STRIDE } from './table.ts'
import { advance, correct, flush, plus } from './usage.ts'

/** `Column.ended`; the index is the number that is kept. */
export const endings = ['open', 'deleted', 'expired', 'restarted', 'superseded'] as const
export type Ending = (typeof endings)[number]
export const Ended = { open: 0, deleted: 1, expired: 2, restarted: 3, superseded: 4 } as const

/** Until when a row may stay as it is; NaN while times are unknown. */
function deadline(state: State, base: number): number {
  const { cells } = state.table
  const flags = cells[base + Column.flags]!
  const { rules } = state
  if ((flags & Flag.expired) !== 0) return cells[base + Column.closedAt]! + rules.rememberMs
  if ((flags & Flag.deleted) !== 0) return cells[base + Column.closedAt]! + rules.settleMs
  if ((flags & Flag.held) !== 0) return cells[base + Column.heardAt]! + rules.holdMs
  if (state.deaf > 0 && isDeaf(state, base)) return Number.POSITIVE_INFINITY
  return lifetimeEnd(state, base) + rules.graceMs
}

function isDeaf({ streams, table }: State, base: number): boolean {
  return streams.get(table.streamOf(base / STRIDE))!.deafSince >= 0
}

/** When the lifetime runs out, as far as it was heard. */
function lifetimeEnd(state: State, base: number): number {
  const { cells } = state.table
  const missed = (cells[base + Column.flags]! & Flag.refreshGap) !== 0 && Number.isNaN(cells[base + Column.goodbyeAt]!)
  return cells[base + Column.expiresAt]! + (missed ? cells[base + Column.lifetime]! * 1000 : 0)
}

/** Counts the lifetime on to `t`: refreshes up to then were missed, or may have been (rule R14). */
export function countOn(cells: Float64Array, base: number, t: number): void {
  const lifetime = cells[base + Column.lifetime]! * 1000
  const missed = Math.ceil((t - cells[base + Column.expiresAt]!) / lifetime)
  const isOver =
    (cells[base + Column.flags]! & (Flag.deleted | Flag.expired)) !== 0 || cells[base + Column.goodbyeAt]! > 0
  if (missed > 0 && lifetime > 0 && !isOver) cells[base + Column.expiresAt]! += missed * lifetime
}

/** Does what is due for this row. Returns false when the row left memory. */
export function lapse(state: State, row: number): boolean {
  const base = row * STRIDE
  if (!(state.time.now > deadline(state, base))) return true
  const { cells } = state.table
  const flags = cells[base + Column.flags]!
  if ((flags & Flag.expired) !== 0) retire(state, row)
  else if ((flags & Flag.deleted) !== 0) finish(state, row)
  else if ((flags & Flag.held) !== 0) reject(state, row)
  else {
    expire(state, row)
    return true
  }
  return false
}

/** Does what is due by the current time, in the order in which it fell due; finds out when something will be next. */
export function sweep(state: State): void {
  const { table } = state
  const due: { readonly row: number; readonly id: number; readonly at: number }[] = []
  state.time.sweepAt = Number.POSITIVE_INFINITY
  for (let row = 0; row < table.top; row++) {
    const base = row * STRIDE
    const id = table.cells[base]!
    if (id === 0 || timeOf(state, state.streams.get(table.streamOf(row))!) !== state.time) continue
    if (dueAt(state, row) <= state.time.now) due.push({ row, id, at: deadline(state, base) })
    else awaitDeadline(state, row)
  }
  due.sort((a, b) => a.at - b.at || a.id - b.id)
  for (const { row } of due) {
    // What has expired may be due to be forgotten at once.
    const stays = lapse(state, row) && (dueAt(state, row) > state.time.now || lapse(state, row))
    if (stays) awaitDeadline(state, row)
  }
}

/** The first whole second after the deadline, so that it never matters for what else a sweep was made. */
function dueAt(state: State, row: number): number {
  return (Math.floor(deadline(state, row * STRIDE) / 1000) + 1) * 1000
}

/** The next sweep is when something is due: seldom, since allocations are refreshed long before. */
export function awaitDeadline(state: State, row: number): void {
  const due = dueAt(state, row)
  if (due < state.time.sweepAt) state.time.sweepAt = due
}

/** The client side alone decides where there is no peer side (rule R20). */
export function carryByClient(state: State, row: number): void {
  const flags = state.table.cells[row * STRIDE + Column.flags]!
  if ((flags & (Flag.peer | Flag.peerExpected | Flag.carrier | Flag.held)) !== 0) return
  if (!state.streams.get(state.table.streamOf(row))!.peer) carryIfOver(state, row, Column.client)
}

/** The allocation carries once its payload on the side at `reading` is over the threshold. */
export function carryIfOver(state: State, row: number, reading: number): void {
  const { cells } = state.table
  const base = row * STRIDE
  if (cells[base + reading + 1]! + cells[base + reading + 3]! <= state.rules.carryBytes) return
  const closedAt = cells[base + Column.closedAt]!
  const t = state.time.now > closedAt ? closedAt : state.time.now
  cells[base + Column.flags]! |= Flag.carrier
  touchFacts(state, row)
  state.moves.push(Move.carrying, cells[base]!, t, state.time.now)
}

/** The allocation is closed as of `t`; what it counted may still be completed until `finish`. */
export function close(state: State, row: number, ended: number, t: number): void {
  const { cells } = state.table
  const base = row * STRIDE
  cells[base + Column.closedAt] = t
  carryByClient(state, row)
  touchFacts(state, row)
  state.moves.push(Move.closed, cells[base]!, t, state.time.now, ended)
}

/** Nothing more is waited for: the last bucket is written and the row leaves memory. */
export function finish(state: State, row: number): void {
  carryByClient(state, row)
  expectPeer(state, row)
  endRelay(state, row)
  flush(state, row)
  state.moves.push(Move.finished, state.table.cells[row * STRIDE]!)
  retire(state, row)
}

/** Where the boot reports peer sides, an account of which none was heard is not whole (rule R16). */
export function expectPeer(state: State, row: number): void {
  const stream = state.streams.get(state.table.streamOf(row))!
  if (stream.peer && state.table.bootOf(row) === stream.boot) {
    state.table.cells[row * STRIDE + Column.flags]! |= Flag.peerExpected
  }
}

/** Ends the row as of now, whatever state it is in. */
export function endNow(state: State, row: number, ended: number): void {
  const flags = state.table.cells[row * STRIDE + Column.flags]!
  if ((flags & Flag.held) !== 0) return reject(state, row)
  if ((flags & Flag.expired) !== 0) return retire(state, row)
  if ((flags & Flag.deleted) === 0) close(state, row, ended, state.time.now)
  finish(state, row)
}

function expire(state: State, row: number): void {
  const { cells } = state.table
  const base = row * STRIDE
  close(state, row, Ended.expired, lifetimeEnd(state, base))
  expectPeer(state, row)
  endRelay(state, row)
  flush(state, row)
  cells[base + Column.flags]! |= Flag.expired
  state.moves.push(Move.finished, cells[base]!)
}

/** The end of relaying: at most the goodbye, else the close (rule R25). */
function endRelay(state: State, row: number): void {
  const { cells } = state.table
  const base = row * STRIDE
  const goodbye = cells[base + Column.goodbyeAt]!
  const limit = Number.isNaN(goodbye) ? cells[base + Column.closedAt]! : goodbye
  if (cells[base + Column.relayTo]! > limit) cells[base + Column.relayTo] = limit
}

/** A report or total for an allocation that we had given up (rule R15). */
export function late(state: State, row: number, side: 0 | 1, d0: number, d1: number, d2: number, d3: number): void {
  const id = state.table.cells[row * STRIDE]!
  correct(state, row, side, d0, d1, d2, d3)
  touchFacts(state, row)
  state.moves.push(Move.late, id, state.time.now)
}

/** Brings one side up by what the reports had not told, which is kept as `unheard` (rule R17). */
export function bringUp(state: State, row: number, side: 0 | 1, d: readonly number[], isOver: boolean): void {
  const { cells } = state.table
  const base = row * STRIDE
  const [d0, d1, d2, d3] = d as [number, number, number, number]
  cells[base + Column.unheard] = plus(cells[base + Column.unheard]!, Math.max(0, d0) + Math.max(0, d2))
  cells[base + Column.unheard + 1] = plus(cells[base + Column.unheard + 1]!, Math.max(0, d1) + Math.max(0, d3))
  if (d0 === 0 && d1 === 0 && d2 === 0 && d3 === 0) return
  if (isOver) correct(state, row, side, d0, d1, d2, d3)
  else advance(state, row, side, d0, d1, d2, d3)
}

/** What was held under this name is nobody's (rules R10, R11). */
export function reject(state: State, row: number): void {
  const { table, rejected } = state
  const { cells } = table
  const base = row * STRIDE
  const { realm, username } = readPath(table.pathOf(row))
  const stream = table.streamOf(row)
  const one = accountOf(rejected, stream, realm, username, state.rules.rejectedMax, cells[base + Column.heardAt]!)
  one.allocations++
  one.lastAt = Math.max(one.lastAt, cells[base + Column.clientAt]!, cells[base + Column.peerAt]!)
  for (let k = 0; k < 4; k++) {
    one.client[k] = plus(one.client[k]!, cells[base + Column.client + k]!)
    one.peer[k] = plus(one.peer[k]!, cells[base + Column.peer + k]!)
  }
  state.rejectedChanged.add(one)
  state.moves.push(Move.rejected, cells[base]!)
  forget(state, row)
}

/** A key that no realm or username can forge: neither may be told from the other by what they hold. */
export function rejectedKey(stream: number, realm: string | null, username: string | null): string {
  return JSON.stringify([stream, realm, username])
}

function accountOf(
  rejected: Map<string, Rejected>,
  stream: number,
  realm: string,
  username: string,
  most: number,
  firstAt: number,
): Rejected {
  const known = rejected.get(rejectedKey(stream, realm, username))
  if (known) return known
  const full = rejectedNames(rejected, stream) >= most
  const key = full ? rejectedKey(stream, null, null) : rejectedKey(stream, realm, username)
  const others = rejected.get(key)
  if (others) return others
  const one: Rejected = {
    stream,
    realm: full ? null : realm,
    username: full ? null : username,
    firstAt,
    lastAt: firstAt,
    allocations: 0,
    client: new Float64Array(4),
    peer: new Float64Array(4),
  }
  rejected.set(key, one)
  return one
}

function rejectedNames(rejected: Map<string, Rejected>, stream: number): number {
  let names = 0
  for (const one of rejected.values()) if (one.stream === stream) names++
  return names
}
