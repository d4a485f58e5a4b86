/**
 * The live allocations: one row of numbers for each, found by (stream, boot, path).
 *
 * Rows lie side by side in one Float64Array and paths in one byte arena, both grown by doubling: an event touches a few
 * neighbouring cache lines, and a million rows are nothing to the garbage collector, where a Map of as many objects
 * takes twice the memory and stops the socket thread for half a second.
 */

/**
 * The columns of a row. Times are milliseconds since the epoch, NaN while unknown. The first `HOT` columns change with
 * every report and are what the store's `live` table holds, in this order; the next ones, up to `FACTS`, change rarely
 * and are columns of its `allocation` table; the rest lives here only and is derived again on restart.
 */
export const Column = {
  id: 0,
  /** Time of the last client and peer report; of the opening while there was none. */
  clientAt: 1,
  peerAt: 2,
  /** Client packet counts per millisecond in the last report's interval; NaN while unknown (rule R25). */
  rate: 3,
  /** Client packet counts of the last report. */
  lastCounts: 4,
  relayTo: 5,
  expiresAt: 6,
  /** The flags below. */
  flags: 7,
  /** rcvp, rcvb, sentp, sentb: readings now, client and peer. */
  client: 8,
  peer: 12,
  openedAt: 16,
  heardAt: 17,
  goodbyeAt: 18,
  closedAt: 19,
  lifetime: 20,
  refreshes: 21,
  /** What the totals held above the reports, both sides: packets and bytes (rule R17). */
  unheard: 22,
  corrections: 24,
  serverHash: 25,
  clientHash: 26,
  /** The readings at the start of the open bucket: sums of the usage rows. */
  clientMark: 27,
  peerMark: 31,
} as const
export const HOT = 16
export const FACTS = 27
export const STRIDE = 35

/** Bits of `Column.flags`. */
export const Flag = {
  /** Not yet proved real (rule R10). */
  held: 1,
  /** A peer event was heard (rule R8). */
  peer: 2,
  /** `deleted` was heard, or is implied by a total. */
  deleted: 4,
  clientTotal: 8,
  peerTotal: 16,
  /** A gap fell into its life. */
  gap: 32,
  /** A gap fell into its present lifetime (rule R14). */
  refreshGap: 64,
  ambiguous: 128,
  /** It has ended by our own reckoning and is kept for what may still come (rule R15). */
  expired: 256,
  /** The texts of a status were seen. */
  described: 512,
  /** It is, or was, the carrier of a session. */
  carrier: 1024,
  /** Its `new` was heard; also where times are unknown. */
  fromStart: 2048,
  /** Its boot reports peer sides, as far as known when it ended, though nothing of its own was heard. */
  peerExpected: 4096,
  /** Made whole from a second source (rule R47). */
  reconstructed: 8192,
} as const

/** Flags of what is in memory and not open: not real yet, or over. */
export const OVER = Flag.held | Flag.deleted | Flag.expired

const ARENA_STEP = 16

export class Table {
  /** Number of rows in use. */
  size = 0
  /** Rows ever used: `[0, top)` holds every live row and some free ones. */
  top = 0
  /** Column c of row r is `cells[r * STRIDE + c]`; a free row has id 0. */
  cells: Float64Array
  #stream: Int32Array
  #boot: Int32Array
  #hash: Int32Array
  #pathAt: Uint32Array
  #pathLength: Uint16Array
  #free: number[] = []
  /** Open addressing, linear probing; row + 1, 0 = empty. */
  #slots: Int32Array
  #arena: Uint8Array
  #arenaTop = 0
  /** Free arena blocks by size in steps. */
  #blocks = new Map<number, number[]>()
  readonly #seed: number

  constructor(capacity = 1024, seed = 0) {
    const size = 2 ** Math.ceil(Math.log2(Math.max(capacity, 16)))
    this.cells = new Float64Array(size * STRIDE)
    this.#stream = new Int32Array(size)
    this.#boot = new Int32Array(size)
    this.#hash = new Int32Array(size)
    this.#pathAt = new Uint32Array(size)
    this.#pathLength = new Uint16Array(size)
    this.#slots = new Int32Array(size * 2)
    this.#arena = new Uint8Array(size * 64)
    this.#seed = seed | 0
  }

  streamOf(row: number): number {
    return this.#stream[row]!
  }

  bootOf(row: number): number {
    return this.#boot[row]!
  }

  /** A copy of the row's path. */
  pathOf(row: number): Uint8Array {
    const at = this.#pathAt[row]!
    return this.#arena.slice(at, at + this.#pathLength[row]!)
  }

  /**
   * Hashes the id only: coturn gives it out, so no user can choose names that collide, and it is unique within a boot.
   */
  #hashOf(stream: number, boot: number, bytes: Uint8Array, end: number): number {
    let h = this.#seed ^ Math.imul(stream + 1, 0x27d4eb2d) ^ Math.imul(boot + 1, 0x165667b1)
    for (let i = end - 18; i < end; i++) h = Math.imul(h ^ bytes[i]!, 0x01000193)
    h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d)
    return h ^ (h >>> 13)
  }

  #same(row: number, bytes: Uint8Array, start: number, length: number): boolean {
    if (this.#pathLength[row] !== length) return false
    const arena = this.#arena
    const at = this.#pathAt[row]!
    // From the right: the id differs first.
    for (let i = length - 1; i >= 0; i--) if (arena[at + i] !== bytes[start + i]) return false
    return true
  }

  /** The row of a path, or -1. */
  find(stream: number, boot: number, bytes: Uint8Array, start: number, end: number): number {
    const hash = this.#hashOf(stream, boot, bytes, end)
    const mask = this.#slots.length - 1
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const row = this.#slots[slot]! - 1
      if (row < 0) return -1
      if (this.#hash[row] !== hash || this.#stream[row] !== stream || this.#boot[row] !== boot) continue
      if (this.#same(row, bytes, start, end - start)) return row
    }
  }

  /** A new row for a path that is not in the table; all its cells are 0. */
  insert(stream: number, boot: number, bytes: Uint8Array, start: number, end: number): number {
    if (this.size * 2 >= this.#slots.length) this.#grow()
    const row = this.#free.pop() ?? this.top++
    this.size++
    this.cells.fill(0, row * STRIDE, (row + 1) * STRIDE)
    this.#stream[row] = stream
    this.#boot[row] = boot
    this.#hash[row] = this.#hashOf(stream, boot, bytes, end)
    this.#keep(row, bytes, start, end - start)
    this.#place(row)
    return row
  }

  remove(row: number): void {
    this.#unplace(row)
    const steps = Math.ceil(this.#pathLength[row]! / ARENA_STEP)
    const blocks = this.#blocks.get(steps)
    if (blocks) blocks.push(this.#pathAt[row]!)
    else this.#blocks.set(steps, [this.#pathAt[row]!])
    this.cells[row * STRIDE] = 0
    this.#free.push(row)
    this.size--
  }

  #place(row: number): void {
    const mask = this.#slots.length - 1
    let slot = this.#hash[row]! & mask
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
    this.#slots[slot] = row + 1
  }

  /** Takes the row out of its slot and closes the hole, so that no probe ends too early. */
  #unplace(row: number): void {
    const slots = this.#slots
    const mask = slots.length - 1
    let hole = this.#hash[row]! & mask
    while (slots[hole] !== row + 1) hole = (hole + 1) & mask
    slots[hole] = 0
    for (let slot = (hole + 1) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const home = this.#hash[slots[slot]! - 1]! & mask
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue
      slots[hole] = slots[slot]!
      slots[slot] = 0
      hole = slot
    }
  }

  #keep(row: number, bytes: Uint8Array, start: number, length: number): void {
    const steps = Math.ceil(length / ARENA_STEP)
    let at = this.#blocks.get(steps)?.pop()
    if (at === undefined) {
      at = this.#arenaTop
      this.#arenaTop += steps * ARENA_STEP
      if (this.#arenaTop > this.#arena.length) this.#arena = grown(this.#arena, this.#arenaTop)
    }
    for (let i = 0; i < length; i++) this.#arena[at + i] = bytes[start + i]!
    this.#pathAt[row] = at
    this.#pathLength[row] = length
  }

  #grow(): void {
    const size = this.#slots.length
    this.cells = grown(this.cells, size * STRIDE)
    this.#stream = grown(this.#stream, size)
    this.#boot = grown(this.#boot, size)
    this.#hash = grown(this.#hash, size)
    this.#pathAt = grown(this.#pathAt, size)
    this.#pathLength = grown(this.#pathLength, size)
    this.#slots = new Int32Array(size * 2)
    for (let row = 0; row < this.top; row++) if (this.cells[row * STRIDE] !== 0) this.#place(row)
  }
}

/**
 * The same numbers with room for at least `length`, by doubling. The old buffer is freed at once, not when the garbage
 * collector comes round to it, and the new one's empty half is not touched: neither counts as memory in use.
 */
export function grown<T extends Float64Array | Int32Array | Uint32Array | Uint16Array | Uint8Array>(
  from: T,
  length: number,
): T {
  let size = Math.max(from.length, 16)
  while (size < length) size *= 2
  const to = new (from.constructor as new (length: number) => T)(size)
  to.set(from)
  free(from.buffer)
  return to
}

/** Gives the memory back now; arrays on it are empty from then on. */
export function free(buffer: ArrayBufferLike): void {
  ;(buffer as ArrayBuffer).transfer(0)
}
