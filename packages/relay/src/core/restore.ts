/** Goes on from the last commit. */
import { rejectedKey } from './ends.ts'
import type { Rejected, State, Stream } from './state.ts'
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

/** Fills an empty state, so that what follows is folded as if it had never stopped. */
export function restore(state: State, saved: Saved): void {
  const { table } = state
  state.nextId = saved.nextId
  for (const stream of saved.streams) {
    state.streams.set(stream.id, stream)
    if (!(stream.heardAt <= state.now)) state.now = Number.isNaN(stream.heardAt) ? state.now : stream.heardAt
  }
  state.sweepAt = state.now >= 0 ? (Math.floor(state.now / 1000) + 1) * 1000 : 0
  for (const { stream, boot, path, cells } of saved.live) {
    const row = table.insert(stream, boot, path, 0, path.length)
    table.cells.set(cells, row * STRIDE)
    if ((cells[Column.flags]! & Flag.held) === 0) continue
    const rows = state.held.get(stream)
    if (rows) rows.add(row)
    else state.held.set(stream, new Set([row]))
  }
  for (const one of saved.rejected) state.rejected.set(rejectedKey(one.stream, one.realm, one.username), one)
}
