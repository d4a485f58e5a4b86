/**
 * Records put right by a second source that heard an allocation from its start to its end (rules R47 and R48).
 *
 * Nothing is ever taken away: what counted more than the second source contradicts it, and stays as it is. All that is
 * changed is what was not known, so that doing it twice changes nothing.
 */
import { insert } from './admission.ts'
import { awaitDeadline, bringUp, close, Ended, expectPeer, finish } from './ends.ts'
import { createBatch, isPath, readPath } from './event.ts'
import { isWhole, qualityOf } from './quality.ts'
import type { SavedRow } from './restore.ts'
import { forget, Move, retire, type State, timeOf, touchFacts } from './state.ts'
import { Column, Flag, OVER, STRIDE } from './table.ts'
import { CLIENT, PEER } from './usage.ts'

/** What the second source knows of an allocation. Times in milliseconds since the epoch, NaN where it does not tell. */
export interface Account {
  readonly openedAt: number
  readonly goodbyeAt: number
  readonly closedAt: number
  readonly relayTo: number
  /** rcvp, rcvb, sentp, sentb over the allocation's life. */
  readonly client: readonly number[]
  /** The same of the peer side; null: there were no reports of one. */
  readonly peer: readonly number[] | null
  /** How its session was closed, as in `Kind.closing`; empty: not told. */
  readonly closing: Uint8Array
}

/** An allocation of the ledger to be made whole. */
export interface Completion {
  /** The ledger's own number of the allocation. */
  readonly id: number
  readonly account: Account
}

/** An allocation that the ledger does not have. */
export interface Addition {
  readonly stream: number
  readonly boot: number
  readonly path: Uint8Array
  readonly account: Account
}

/** An allocation as it was stored last. */
export interface Recalled extends SavedRow {
  /** The fold has it, and knows better. */
  readonly isLive: boolean
}

/** What became of one: it was made `whole`, or why it was left as it is. */
export const reconciled = ['whole', 'unchanged', 'contradicts', 'not over', 'unknown'] as const
export type Reconciled = (typeof reconciled)[number]

/** What is to be put right at once. */
export interface Reconciliation {
  readonly completions: readonly Completion[]
  readonly additions: readonly Addition[]
}

/** What became of each, in the same order. */
export interface Outcomes {
  readonly completions: readonly Reconciled[]
  readonly additions: readonly Reconciled[]
}

/**
 * `recalled`: the allocations to be made whole, and all that are of a path to be added, as they are stored. What has
 * not ended by now is left alone: nothing here may be of a time to come.
 */
export function reconcile(state: State, asked: Reconciliation, recalled: readonly Recalled[]): Outcomes {
  const stored = new Map(recalled.map((one) => [one.cells[Column.id]!, one]))
  const known = new Known()
  for (const one of recalled) known.add(one, spanOf(one))
  const complete = (one: Completion) => {
    const recalled = stored.get(one.id)
    const outcome = inTimeOf(state, recalled?.stream, () => completeFrom(state, one, recalled))
    // What is stored of it is out of date by that.
    if (outcome === 'whole') stored.delete(one.id)
    return outcome
  }
  const add = (one: Addition) => {
    if (known.has(one, one.account)) return 'unchanged'
    const outcome = inTimeOf(state, one.stream, () => addFrom(state, one))
    if (outcome === 'whole') known.add(one, one.account)
    return outcome
  }
  return { completions: asked.completions.map(complete), additions: asked.additions.map(add) }
}

/** The present is that of the stream. */
function inTimeOf(state: State, stream: number | undefined, run: () => Reconciled): Reconciled {
  const { time } = state
  const own = state.streams.get(stream ?? -1)
  if (own !== undefined) state.time = timeOf(state, own)
  const outcome = run()
  state.time = time
  return outcome
}

interface Span {
  readonly openedAt: number
  readonly closedAt: number
}

/** From when to when it was there, as far as is known. */
function spanOf({ cells }: Recalled): Span {
  const [openedAt, heardAt] = [cells[Column.openedAt]!, cells[Column.heardAt]!]
  return { openedAt: Number.isNaN(openedAt) ? heardAt : openedAt, closedAt: cells[Column.closedAt]! }
}

/** When allocations of a path were there: of one path there is no other one at the same time. */
class Known {
  readonly #spans = new Map<string, Span[]>()

  add(one: Pick<Addition, 'stream' | 'path'>, span: Span): void {
    const spans = this.#spans.get(keyOf(one))
    if (spans === undefined) this.#spans.set(keyOf(one), [span])
    else spans.push(span)
  }

  has(one: Pick<Addition, 'stream' | 'path'>, { openedAt, closedAt }: Span): boolean {
    const spans = this.#spans.get(keyOf(one)) ?? []
    return spans.some((other) => !(other.openedAt > closedAt || other.closedAt < openedAt))
  }
}

const keyOf = ({ stream, path }: Pick<Addition, 'stream' | 'path'>) => `${stream}/${String.fromCharCode(...path)}`

/** Makes an allocation whole. `recalled`: it as it is stored; undefined: the ledger has none of that number. */
function completeFrom(state: State, { id, account }: Completion, recalled: Recalled | undefined): Reconciled {
  if (recalled === undefined) return 'unknown'
  if (account.closedAt > state.time.now) return 'not over'
  const { stream, boot, path, cells, isLive } = recalled
  const { table } = state
  const row = table.find(stream, boot, path, 0, path.length)
  if (row >= 0 && table.cells[row * STRIDE] === id) return makeWhole(state, row, account)
  // It has left memory since it was stored, and that is not stored yet.
  if (isLive) return 'not over'
  const back = table.insert(stream, boot, path, 0, path.length)
  table.cells.set(cells, back * STRIDE)
  state.relayed.place(back, readPath(path).realm)
  const outcome = putRight(state, back, account)
  if (outcome === 'whole') retire(state, back)
  else forget(state, back)
  return outcome
}

/** One that the fold has. */
function makeWhole(state: State, row: number, account: Account): Reconciled {
  const { cells } = state.table
  const base = row * STRIDE
  const flags = cells[base + Column.flags]!
  if ((flags & Flag.held) !== 0) return 'unknown'
  if ((flags & Flag.expired) !== 0) {
    const outcome = putRight(state, row, account)
    // It is remembered as before (rule R15): a report that is still on its way must find it.
    awaitDeadline(state, row)
    return outcome
  }
  // Its totals are on the way, or it goes on as far as anyone knows.
  if ((flags & OVER) !== 0 || Number.isNaN(account.closedAt)) return 'not over'
  expectPeer(state, row)
  const above = missingOf(state, row, account)
  return above === undefined ? 'contradicts' : endAsOf(state, row, account, above)
}

/** What the account counts above the row's readings, by side; undefined: one is below, or the peer's is not told. */
function missingOf(
  { table: { cells } }: State,
  row: number,
  { client, peer }: Account,
): [number[], number[]] | undefined {
  if (peer === null && (cells[row * STRIDE + Column.flags]! & (Flag.peer | Flag.peerExpected)) !== 0) return undefined
  const above = (column: number, counters: readonly number[] | null) =>
    [0, 1, 2, 3].map((k) => (counters?.[k] ?? 0) - cells[row * STRIDE + column + k]!)
  const both: [number[], number[]] = [above(Column.client, client), above(Column.peer, peer)]
  return both.flat().some((one) => one < 0) ? undefined : both
}

/** It is open here and was closed in a gap: it ends as it would have ended then. */
function endAsOf(state: State, row: number, account: Account, [client, peer]: readonly number[][]): Reconciled {
  const { cells } = state.table
  const base = row * STRIDE
  const { now } = state.time
  state.time.now = Math.max(account.closedAt, cells[base + Column.clientAt]!, cells[base + Column.peerAt]!)
  const begins = carries(state, account) && (cells[base + Column.flags]! & Flag.carrier) === 0
  cells[base + Column.flags]! |= wholeFlags(state, account)
  tellClosing(state, row, account)
  close(state, row, Ended.deleted, state.time.now)
  learnTimes(state, row, account)
  bringUp(state, row, CLIENT, client!, false)
  bringUp(state, row, PEER, peer!, false)
  // That it carries is learnt when its session may be over, in which it stays.
  if (begins) state.moves.push(Move.reconciled, cells[base]!, Number.NaN, 0, 1)
  finish(state, row)
  state.time.now = now
  return 'whole'
}

/** One that is over here: what it lacks comes late. */
function putRight(state: State, row: number, account: Account): Reconciled {
  const { cells } = state.table
  const base = row * STRIDE
  const above = missingOf(state, row, account)
  const before = cells[base + Column.flags]!
  if (above === undefined || (before & Flag.ambiguous) !== 0) return 'contradicts'
  const isKnown = isWhole(qualityOf(before))
  if (isKnown && above.flat().some((one) => one > 0)) return 'contradicts'
  const { isStart, isEnd } = learnTimes(state, row, account)
  if (isKnown && !isStart && !isEnd) return 'unchanged'
  if (!isKnown) {
    bringUp(state, row, CLIENT, above[0], true)
    bringUp(state, row, PEER, above[1], true)
    cells[base + Column.flags]! |= wholeFlags(state, account)
  }
  tellClosing(state, row, account)
  const closedAt = isEnd ? cells[base + Column.closedAt]! : Number.NaN
  state.moves.push(Move.reconciled, cells[base]!, closedAt, 0, +carries(state, account))
  return 'whole'
}

/** Adds one that was never heard of, as over. */
function addFrom(state: State, { stream, boot, path, account }: Addition): Reconciled {
  const { table } = state
  const heard = state.streams.get(stream)
  if (heard === undefined || !isPath(path) || !(account.openedAt <= account.closedAt)) return 'unknown'
  if (account.closedAt > state.time.now) return 'not over'
  const known = table.find(stream, boot, path, 0, path.length)
  if (known >= 0 && (table.cells[known * STRIDE + Column.flags]! & Flag.held) === 0) return 'contradicts'
  if (known >= 0) {
    state.moves.push(Move.rejected, table.cells[known * STRIDE]!)
    forget(state, known)
  }
  const row = insertAt(state, { stream: heard, boot, path })
  if (row < 0) return 'not over'
  const { cells } = table
  const base = row * STRIDE
  cells[base + Column.flags] = wholeFlags(state, account) | Flag.fromStart
  cells[base + Column.heardAt] = account.openedAt
  cells[base + Column.closedAt] = account.closedAt
  cells[base + Column.lifetime] = Number.NaN
  learnTimes(state, row, account)
  state.relayed.place(row, readPath(path).realm)
  bringUp(state, row, CLIENT, account.client, true)
  bringUp(state, row, PEER, account.peer ?? [0, 0, 0, 0], true)
  tellClosing(state, row, account)
  state.moves.push(Move.added, cells[base]!, account.openedAt, account.closedAt, +carries(state, account))
  retire(state, row)
  return 'whole'
}

function insertAt(state: State, { stream, boot, path }: { stream: State['stream']; boot: number; path: Uint8Array }) {
  const batch = createBatch(1, path)
  batch.pathEnd[0] = path.length
  const before = { stream: state.stream, boot: state.boot }
  Object.assign(state, { stream, boot })
  const row = insert(state, batch, 0)
  Object.assign(state, before)
  return row
}

/** Rule R20. */
function carries({ rules }: State, { client, peer }: Account): boolean {
  const payload = peer ?? client
  return payload[1]! + payload[3]! > rules.carryBytes
}

/** The totals of all sides are known, and by whom. */
function wholeFlags(state: State, account: Account): number {
  const sides = account.peer === null ? Flag.clientTotal : Flag.clientTotal | Flag.peer | Flag.peerTotal
  return sides | Flag.deleted | Flag.reconstructed | (carries(state, account) ? Flag.carrier : 0)
}

/**
 * Fills in the times that were not heard. An end that was reckoned gives way to one that was seen, and is a fact from
 * then on. Returns what there was to learn.
 */
function learnTimes(
  state: State,
  row: number,
  account: Account,
): { readonly isStart: boolean; readonly isEnd: boolean } {
  const { cells } = state.table
  const base = row * STRIDE
  const { openedAt, goodbyeAt, closedAt, relayTo } = account
  const isStart = Number.isNaN(cells[base + Column.openedAt]!) && openedAt >= 0
  const isEnd = (cells[base + Column.flags]! & Flag.deleted) === 0 && closedAt >= 0
  if (isStart) {
    cells[base + Column.openedAt] = Math.min(openedAt, cells[base + Column.heardAt]!)
    cells[base + Column.flags]! |= Flag.fromStart
  }
  if (isEnd) {
    cells[base + Column.closedAt] = Math.max(closedAt, cells[base + Column.heardAt]!)
    cells[base + Column.flags]! |= Flag.deleted
  }
  if (Number.isNaN(cells[base + Column.goodbyeAt]!)) cells[base + Column.goodbyeAt] = goodbyeAt
  const limit = least(cells[base + Column.goodbyeAt]!, cells[base + Column.closedAt]!)
  const known = cells[base + Column.relayTo]!
  const relayed = relayTo > known || Number.isNaN(known) ? relayTo : known
  cells[base + Column.relayTo] = relayed > limit ? limit : relayed
  touchFacts(state, row)
  return { isStart, isEnd }
}

/** The smaller one, of those that are known. */
const least = (a: number, b: number) => (Number.isNaN(b) || a <= b ? a : b)

function tellClosing(state: State, row: number, { closing }: Account): void {
  if (closing.length === 0) return
  state.moves.pushText(Move.described, state.table.cells[row * STRIDE]!, 0, 0, closing, 0, closing.length)
}
