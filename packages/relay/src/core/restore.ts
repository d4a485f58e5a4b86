/** Goes on from the last commit. */
import { rejectedKey } from './ends.ts'
import { readPath } from './event.ts'
import { type Rejected, type State, type Stream, timeOf } from './state.ts'
import { Column, Flag, STRIDE } from './table.ts'

/** A live allocation as it was committed: its stream, boot and path, and its columns up to `STRIDE`. */
export interface SavedRow {
  readonly stream: number
  readonly boot: number
  readonly path: Uint8Array
  readonly cells: Float64Array
}

export interface Saved {
  readonly streams: readonly Stream[]
  readonly nextId: number
  readonly live: readonly SavedRow[]
  readonly rejected: readonly Rejected[]
}

/** Takes in streams with their live allocations, so that what follows is folded as if it had never stopped. */
export function restore(state: State, saved: Saved): void {
  state.nextId = Math.max(state.nextId, saved.nextId)
  for (const stream of saved.streams) {
    state.streams.set(stream.id, stream)
    const time = timeOf(state, stream)
    if (!(stream.heardAt <= time.now)) time.now = Number.isNaN(stream.heardAt) ? time.now : stream.heardAt
    if (time.sweepAt === 0 && time.now >= 0) time.sweepAt = (Math.floor(time.now / 1000) + 1) * 1000
  }
  for (const row of saved.live) restoreRow(state, row)
  for (const one of saved.rejected) state.rejected.set(rejectedKey(one.stream, one.realm, one.username), one)
}

function restoreRow(state: State, { stream, boot, path, cells }: SavedRow): void {
  const row = state.table.insert(stream, boot, path, 0, path.length)
  state.table.cells.set(cells, row * STRIDE)
  if ((cells[Column.flags]! & Flag.held) === 0) return state.relayed.place(row, readPath(path).realm)
  const rows = state.held.get(stream)
  if (rows) rows.add(row)
  else state.held.set(stream, new Set([row]))
}
