/** Entries that would be written to the same place, here or where case does not count. */
import { foldCase } from './glob.ts'

export interface Names {
  /** Names behind each other, without anything between them. */
  readonly bytes: Uint8Array
  /** Where the name of each entry ends; the next one begins there. */
  readonly nameEnd: Uint32Array
  /** The entries that are to be written, in any order; those of a folder behind each other are faster. */
  readonly order: Uint32Array
  /**
   * Where an entry is written, its parts joined with `/`, with a `/` behind a folder; undefined: nowhere. Asked only
   * for names that are not plain: with other than ASCII in them, with backslashes, or with parts that are empty or
   * begin with `.`.
   */
  readonly pathOf: (entry: number) => string | undefined
  /** How many folders are left out at the beginning of each name. */
  readonly strip: number
  /** Nothing that who made the archive could know. */
  readonly seed: number
}

/** Of each entry in `entries`, in the same place in `others`, the one it collides with. */
export interface Pairs {
  readonly entries: Uint32Array
  readonly others: Uint32Array
}

export interface Collisions {
  /** All files that are not the last in the directory of those written to the same place; that one is the other. */
  readonly replaced: Pairs
  /** All files where the other entry is a folder or needs one. */
  readonly blocked: Pairs
  /** The first {@link ALIKE_MAX} that differ from another one only in case or Unicode normal form. */
  readonly alike: Pairs
  readonly alikeCount: number
}

export const ALIKE_MAX = 1000

/**
 * Names go into a table of entries by their hash, with case and normal form folded: where none meets another, that is
 * all. Else once more as they are, and then, of those that differ, folded. Nothing is allocated for a name that is
 * ASCII. The hash is seeded, so that no archive can be made in which all names are in the same place of the table.
 */
export function collisionsOf(names: Names): Collisions {
  const exact = new Table(names)
  if (isFree(names, exact)) return FREE
  exact.clear(false)
  const met: Met = { isLost: new Uint8Array(names.nameEnd.length), losers: [], mixed: [] }
  for (let i = 0; i < names.order.length; i++) {
    const entry = names.order[i]!
    const slot = exact.slotOf(entry)
    if (slot === NOWHERE) met.isLost[entry] = 1
    else if (exact.at(slot) === NOWHERE) exact.put(slot, entry)
    else meet(exact, slot, entry, met)
  }
  const { isLost, losers, mixed } = met
  const winner = (entry: number) => exact.at(exact.slotOf(entry))
  losers.sort((a, b) => a - b)
  const blocked = new Map<number, number>()
  for (let i = 0; i < mixed.length; i += 2) blocked.set(winner(mixed[i]!), mixed[i + 1]!)
  exact.filesAbove(names.order, (file, below) => {
    if (!blocked.has(file)) blocked.set(file, below)
  })
  return {
    replaced: { entries: Uint32Array.from(losers), others: Uint32Array.from(losers, winner) },
    blocked: { entries: Uint32Array.from(blocked.keys()), others: Uint32Array.from(blocked.values()) },
    ...alikeOf(names, exact, isLost),
  }
}

const NO_PAIRS: Pairs = { entries: new Uint32Array(0), others: new Uint32Array(0) }
const FREE: Collisions = { replaced: NO_PAIRS, blocked: NO_PAIRS, alike: NO_PAIRS, alikeCount: 0 }

/** Whether nothing collides, for which nothing may even be alike. */
function isFree({ order }: Names, table: Table): boolean {
  table.clear(true)
  for (let i = 0; i < order.length; i++) {
    const slot = table.slotOf(order[i]!)
    if (slot === NOWHERE) continue
    if (table.at(slot) !== NOWHERE) return false
    table.put(slot, order[i]!)
  }
  let isAnyAbove = false
  table.filesAbove(order, () => {
    isAnyAbove = true
  })
  return !isAnyAbove
}

interface Met {
  /** Of each entry whether another one stands in the table for it. */
  readonly isLost: Uint8Array
  /** Files that are replaced. */
  readonly losers: number[]
  /** File, folder, file, folder ... */
  readonly mixed: number[]
}

/** The last file stays in the table, and a folder only where there is no file. */
function meet(table: Table, slot: number, entry: number, { isLost, losers, mixed }: Met): void {
  const other = table.at(slot)
  const isFolder = table.isFolder(entry)
  const isOtherFolder = table.isFolder(other)
  const stays = isFolder || (!isOtherFolder && other > entry)
  if (!stays) table.put(slot, entry)
  isLost[stays ? entry : other] = 1
  if (isFolder !== isOtherFolder) mixed.push(isFolder ? other : entry, isFolder ? entry : other)
  else if (!isFolder) losers.push(stays ? entry : other)
}

/** The table of exact names is not needed any more, and is used again. */
function alikeOf({ order }: Names, table: Table, isLost: Uint8Array): Pick<Collisions, 'alike' | 'alikeCount'> {
  const entries: number[] = []
  const others: number[] = []
  let alikeCount = 0
  table.clear(true)
  for (let i = 0; i < order.length; i++) {
    const entry = order[i]!
    if (isLost[entry] === 1) continue
    const slot = table.slotOf(entry)
    if (slot === NOWHERE) continue
    const other = table.at(slot)
    if (other === NOWHERE) table.put(slot, entry)
    // Two folders become one, and nothing is lost.
    else if (!(table.isFolder(entry) && table.isFolder(other)) && ++alikeCount <= ALIKE_MAX) {
      entries.push(entry)
      others.push(other)
    }
  }
  return { alike: { entries: Uint32Array.from(entries), others: Uint32Array.from(others) }, alikeCount }
}

const NOWHERE = -1
const PLAIN = 1
const OTHER = 2
const SLASH = 0x2f
const BACKSLASH = 0x5c
const DOT = 0x2e
/** Of a name in an archive; what is written in its place may have three bytes for each. */
const NAME_MAX = 65_535 * 3

const SAME = Uint8Array.from({ length: 256 }, (_, byte) => byte)
const SMALL = SAME.map((byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte))

/** Entries by their names, open addressing; with 16 bits of the hash beside each, so that few names are compared. */
class Table {
  readonly #slots: Uint32Array
  readonly #tags: Uint16Array
  readonly #mask: number
  readonly #seed: number
  readonly #key: Key
  readonly #other: Key
  #hash = 0

  constructor(names: Names) {
    let size = 16
    while (size < names.order.length * 1.5) size *= 2
    this.#slots = new Uint32Array(size)
    this.#tags = new Uint16Array(size)
    this.#mask = size - 1
    this.#seed = names.seed | 0
    const plainness = new Uint8Array(names.nameEnd.length)
    this.#key = new Key(names, plainness)
    this.#other = new Key(names, plainness)
  }

  clear(isFolded: boolean): void {
    this.#slots.fill(0)
    this.#key.isFolded = isFolded
    this.#other.isFolded = isFolded
  }

  isFolder(entry: number): boolean {
    this.#other.load(entry)
    return this.#other.isFolder
  }

  at = (slot: number): number => this.#slots[slot]! - 1

  /** In the slot that was asked for last. */
  put(slot: number, entry: number): void {
    this.#slots[slot] = entry + 1
    this.#tags[slot] = this.#hash >>> 16
  }

  /** Where an entry of that name is or would be; NOWHERE: it is not written. */
  slotOf(entry: number): number {
    const key = this.#key
    if (!key.load(entry)) return NOWHERE
    this.#hash = hashOf(key, this.#seed)
    return this.#find(this.#hash, key.to)
  }

  #find(hash: number, to: number): number {
    let slot = hash & this.#mask
    for (; this.#slots[slot] !== 0; slot = (slot + 1) & this.#mask) {
      if (this.#tags[slot] === hash >>> 16 && this.#isSame(this.#slots[slot]! - 1, to)) break
    }
    return slot
  }

  #isSame(entry: number, to: number): boolean {
    this.#other.load(entry)
    return isSame(this.#key, to, this.#other)
  }

  /** Tells of the files that have the name of a folder above an entry. */
  filesAbove(order: Uint32Array, tell: (file: number, below: number) => void): void {
    const key = this.#key
    const fold = key.isFolded ? SMALL : SAME
    const before = new Uint8Array(NAME_MAX)
    let beforeLength = 0
    for (let at = 0; at < order.length; at++) {
      const entry = order[at]!
      if (!key.load(entry)) continue
      const { bytes, from } = key
      let length = key.to - from
      while (length > 0 && bytes[from + length - 1] !== SLASH) length--
      const same = sameStart(bytes, from, length, before, beforeLength)
      if (same === length) continue
      beforeLength = length
      let hash = this.#seed
      for (let i = 0; i < length; i++) {
        const byte = bytes[from + i]!
        if (byte === SLASH && i >= same) this.#tellFile(mixed(hash), from + i, entry, tell)
        hash = added(hash, fold[byte]!)
        before[i] = byte
      }
    }
  }

  #tellFile(hash: number, to: number, below: number, tell: (file: number, below: number) => void): void {
    const file = this.at(this.#find(hash, to))
    if (file !== NOWHERE && !this.isFolder(file)) tell(file, below)
  }
}

/** A name as it is compared, without a slash behind it: in the archive's own bytes where these will do. */
class Key {
  bytes: Uint8Array
  from = 0
  to = 0
  isFolder = false
  isFolded = false
  readonly #names: Names
  /** Of each entry, once known. */
  readonly #plainness: Uint8Array
  readonly #encoder = new TextEncoder()
  #own = new Uint8Array(4096)

  constructor(names: Names, plainness: Uint8Array) {
    this.#names = names
    this.#plainness = plainness
    this.bytes = names.bytes
  }

  /** Whether there is one. */
  load(entry: number): boolean {
    const { bytes, nameEnd, strip } = this.#names
    this.bytes = bytes
    this.from = entry === 0 ? 0 : nameEnd[entry - 1]!
    this.to = nameEnd[entry]!
    const plainness = this.#plainness[entry] || (isPlain(bytes, this.from, this.to) ? PLAIN : OTHER)
    this.#plainness[entry] = plainness
    if (plainness === OTHER) this.#loadPath(entry)
    else if (strip > 0) this.#strip(strip)
    this.isFolder = this.to > this.from && this.bytes[this.to - 1] === SLASH
    if (this.isFolder) this.to--
    return this.to > this.from
  }

  #strip(strip: number): void {
    for (let left = strip; left > 0; left--) {
      while (this.from < this.to && this.bytes[this.from] !== SLASH) this.from++
      if (this.from < this.to) this.from++
    }
  }

  #loadPath(entry: number): void {
    const path = this.#names.pathOf(entry) ?? ''
    const text = this.isFolded ? foldCase(path.normalize('NFC')).normalize('NFC') : path
    if (this.#own.length < text.length * 3) this.#own = new Uint8Array(text.length * 3)
    this.bytes = this.#own
    this.from = 0
    this.to = this.#encoder.encodeInto(text, this.#own).written
  }
}

/** Whether the bytes are also where the entry is written. */
function isPlain(bytes: Uint8Array, from: number, to: number): boolean {
  let before = SLASH
  for (let i = from; i < to; i++) {
    const byte = bytes[i]!
    if (byte >= 0x80 || byte === BACKSLASH) return false
    if (before === SLASH && (byte === SLASH || byte === DOT)) return false
    before = byte
  }
  return true
}

function sameStart(bytes: Uint8Array, from: number, length: number, before: Uint8Array, beforeLength: number): number {
  const most = Math.min(length, beforeLength)
  let same = 0
  while (same < most && before[same] === bytes[from + same]) same++
  return same
}

function isSame(key: Key, to: number, other: Key): boolean {
  if (to - key.from !== other.to - other.from) return false
  const fold = key.isFolded ? SMALL : SAME
  const away = other.from - key.from
  for (let i = key.from; i < to; i++) if (fold[key.bytes[i]!] !== fold[other.bytes[i + away]!]) return false
  return true
}

function hashOf({ bytes, from, to, isFolded }: Key, seed: number): number {
  const fold = isFolded ? SMALL : SAME
  let hash = seed
  for (let i = from; i < to; i++) hash = added(hash, fold[bytes[i]!]!)
  return mixed(hash)
}

/** The shift brings the upper half of the seed down, so that no two names fall together under all seeds. */
const added = (hash: number, byte: number) => Math.imul(hash ^ byte ^ (hash >>> 15), 0x2c1b3c6d)

function mixed(hash: number): number {
  const half = Math.imul(hash ^ (hash >>> 16), 0x7feb352d)
  return (half ^ (half >>> 15)) >>> 0
}
