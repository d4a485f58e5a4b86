/** Which entries are meant: by patterns, by exact names, by size and date. */
import type { Wanted } from './directory.ts'
import { compileGlob, foldCase, type Glob, type GlobOptions, isAscii } from './glob.ts'

export interface SelectionOptions extends GlobOptions {
  /** Patterns; none, and no names either: everything is meant. */
  readonly include?: readonly string[]
  readonly exclude?: readonly string[]
  /** Exact names, in which nothing stands for anything else; a `/` at the end counts neither here nor there. */
  readonly names?: Iterable<string> | undefined
  /** In bytes, uncompressed: more than, less than. */
  readonly larger?: number | undefined
  readonly smaller?: number | undefined
  /** In milliseconds since 1970: at that moment or later, before it. */
  readonly newerMs?: number | undefined
  readonly olderMs?: number | undefined
}

export interface Selection {
  /** Also remembers which patterns and names have matched something. */
  matches(name: string, size: number, modifiedMs: number): boolean
  /** Patterns and names that have not matched any name yet, as they were given, in order. */
  unmatched(): readonly string[]
  /** Patterns that have not excluded anything yet of what is meant otherwise. */
  unmatchedExcludes(): readonly string[]
  /** Undefined: it would say yes of everything. */
  readonly prefilter: Wanted | undefined
}

export type Selected =
  | { readonly ok: true; readonly value: Selection }
  | { readonly ok: false; readonly faults: string[] }

/**
 * The names in a list, one a line or, where there is a NUL, one before each NUL. Lines may end as on Windows; empty
 * ones are left out, and so is the mark that some editors set before the first.
 */
export function namesIn(text: string): string[] {
  const listed = text.startsWith('\ufeff') ? text.slice(1) : text
  const names = listed.includes('\0') ? listed.split('\0') : listed.split(/\r?\n/)
  return names.filter((name) => name !== '')
}

/** The selection, or all that is wrong with the patterns. */
export function selection(options: SelectionOptions): Selected {
  const include = (options.include ?? []).map((pattern) => compileGlob(pattern, options))
  const exclude = (options.exclude ?? []).map((pattern) => compileGlob(pattern, options))
  const faults = [...include, ...exclude].flatMap((compiled) => (compiled.ok ? [] : compiled.faults))
  if (faults.length > 0) return { ok: false, faults }
  const globs = (all: typeof include) => all.flatMap((compiled) => (compiled.ok ? [compiled.value] : []))
  return { ok: true, value: selectionOf(globs(include), globs(exclude), options) }
}

function selectionOf(include: readonly Glob[], exclude: readonly Glob[], options: SelectionOptions): Selection {
  const { ignoreCase = false } = options
  const fold = ignoreCase ? foldCase : (name: string) => name
  const wanted = options.names === undefined ? undefined : new Names(options.names, fold)
  const patterns = new Patterns(include)
  const excluded = new Patterns(exclude)
  const isEverything = wanted === undefined && include.length === 0
  const isWithin = within(options)
  return {
    matches(name, size, modifiedMs) {
      const folded = fold(name)
      // Both are asked, since both remember.
      const isNamed = wanted?.has(folded) === true
      const isMeant = patterns.match(folded) || isNamed || isEverything
      return isMeant && !excluded.match(folded) && isWithin(size, modifiedMs)
    },
    unmatched: () => [...patterns.unmatched(), ...(wanted?.unmatched() ?? [])],
    unmatchedExcludes: () => excluded.unmatched(),
    prefilter: isEverything ? undefined : prefilterOf(include, wanted?.listed() ?? [], ignoreCase),
  }
}

function within({
  larger,
  smaller,
  newerMs,
  olderMs,
}: SelectionOptions): (size: number, modifiedMs: number) => boolean {
  const above = larger ?? -1
  const below = smaller ?? Number.POSITIVE_INFINITY
  const since = newerMs ?? Number.NEGATIVE_INFINITY
  const until = olderMs ?? Number.POSITIVE_INFINITY
  return (size, modifiedMs) => size > above && size < below && modifiedMs >= since && modifiedMs < until
}

const withoutSlash = (name: string) => (name.endsWith('/') ? name.slice(0, -1) : name)

/** Exact names, and which of them have been seen. */
class Names {
  readonly #given: string[] = []
  readonly #index = new Map<string, number>()
  readonly #seen: Uint8Array
  #left: number

  constructor(names: Iterable<string>, fold: (name: string) => string) {
    for (const name of names) {
      const key = withoutSlash(fold(name))
      if (this.#index.has(key)) continue
      this.#index.set(key, this.#given.length)
      this.#given.push(name)
    }
    this.#seen = new Uint8Array(this.#given.length)
    this.#left = this.#given.length
  }

  has(name: string): boolean {
    const index = this.#index.get(withoutSlash(name))
    if (index === undefined) return false
    this.#left -= 1 - this.#seen[index]!
    this.#seen[index] = 1
    return true
  }

  listed = () => this.#index.keys()

  unmatched(): string[] {
    return this.#left === 0 ? [] : this.#given.filter((_, i) => this.#seen[i] === 0)
  }
}

/**
 * Patterns, and which of them have matched. Those without wildcards are looked up, a name and all folders above it, so
 * that thousands of them cost no more than a few.
 */
class Patterns {
  readonly #globs: readonly Glob[]
  readonly #seen: Uint8Array
  /** Patterns without wildcards, by what they name. */
  readonly #plain = new Map<string, number[]>()
  readonly #wild: number[] = []

  constructor(globs: readonly Glob[]) {
    this.#globs = globs
    this.#seen = new Uint8Array(globs.length)
    for (const [i, glob] of globs.entries()) {
      if (!glob.isLiteral) this.#wild.push(i)
      else this.#plain.set(glob.prefix, [...(this.#plain.get(glob.prefix) ?? []), i])
    }
  }

  /** Of a name with its case folded. */
  match(name: string): boolean {
    let isFound = this.#plain.size > 0 && this.#matchPlain(name)
    for (const i of this.#wild) {
      if (isFound && this.#seen[i] === 1) continue
      if (this.#globs[i]!.matchesFolded(name)) {
        this.#seen[i] = 1
        isFound = true
      }
    }
    return isFound
  }

  #matchPlain(name: string): boolean {
    let isFound = this.#try(name, name)
    for (let slash = name.indexOf('/'); slash !== -1; slash = name.indexOf('/', slash + 1)) {
      if (this.#try(name.slice(0, slash), name)) isFound = true
    }
    return isFound
  }

  #try(key: string, name: string): boolean {
    let isFound = false
    for (const i of this.#plain.get(key) ?? []) {
      if (!this.#globs[i]!.matchesFolded(name)) continue
      this.#seen[i] = 1
      isFound = true
    }
    return isFound
  }

  unmatched(): string[] {
    return this.#globs.filter((_, i) => this.#seen[i] === 0).map(({ pattern }) => pattern)
  }
}

/** What is known of the bytes of all names that a pattern matches. */
interface Ends {
  readonly prefix: Uint8Array
  readonly suffix: Uint8Array
}

function prefilterOf(include: readonly Glob[], names: Iterable<string>, ignoreCase: boolean): Wanted | undefined {
  const ends = include.filter(({ isLiteral }) => !isLiteral).map(endsOf)
  if (ends.some(({ prefix, suffix }) => prefix.length + suffix.length === 0)) return undefined
  const plain = include.filter(({ isLiteral }) => isLiteral)
  const exact = plain.filter(({ isTree }) => !isTree).map(({ prefix }) => withoutSlash(prefix))
  const trees = plain.filter(({ isTree }) => isTree).map(({ prefix }) => prefix)
  const all = [...names, ...exact]
  const byName = all.length + trees.length === 0 ? undefined : prefilterOfNames(all, trees, ignoreCase)
  if (ends.length === 0) return byName
  return {
    begins: beginsOf([...ends.map(({ prefix }) => prefix[0]), ...[...all, ...trees].map(firstByte)], ignoreCase),
    may(bytes, start, end) {
      for (const one of ends) if (mayHaveEnds(one, bytes, start, end, ignoreCase)) return true
      return byName?.may(bytes, start, end) === true
    },
  }
}

/** undefined: any may be. */
function firstByte(name: string): number | undefined {
  const code = name.charCodeAt(0)
  return code < 0x80 ? code : undefined
}

/** The bytes that a name may begin with, of which these are the first ones. */
function beginsOf(firsts: readonly (number | undefined)[], ignoreCase: boolean): Uint8Array {
  const known = [...new Set(firsts)]
  return Uint8Array.from({ length: 256 }, (_, byte) =>
    Number(known.some((first) => first === undefined || !differs(byte, first, ignoreCase))),
  )
}

/** Only as far as they are ASCII: how the rest is written depends on the encoding. */
function endsOf({ prefix, suffix }: Glob): Ends {
  const bytes = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0))
  return { prefix: bytes(/^[\0-\x7f]*/.exec(prefix)![0]), suffix: bytes(/[\0-\x7f]*$/.exec(suffix)![0]) }
}

const SLASH = 0x2f
const BACKSLASH = 0x5c

function mayHaveEnds(
  { prefix, suffix }: Ends,
  bytes: Uint8Array,
  start: number,
  end: number,
  ignoreCase: boolean,
): boolean {
  if (prefix.length > end - start || suffix.length > end - start) return false
  for (let i = 0; i < prefix.length; i++) if (differs(bytes[start + i]!, prefix[i]!, ignoreCase)) return false
  if (suffix.length === 0 || hasAt(bytes, end - suffix.length, suffix, ignoreCase)) return true
  return (
    isSlash(bytes[end - 1]!) && suffix.length < end - start && hasAt(bytes, end - 1 - suffix.length, suffix, ignoreCase)
  )
}

function hasAt(bytes: Uint8Array, at: number, wanted: Uint8Array, ignoreCase: boolean): boolean {
  for (let i = 0; i < wanted.length; i++) if (differs(bytes[at + i]!, wanted[i]!, ignoreCase)) return false
  return true
}

const isSlash = (byte: number) => byte === SLASH || byte === BACKSLASH

/** A backslash may be meant as a slash, and what is not ASCII may be the other case of an ASCII letter. */
function differs(byte: number, wanted: number, ignoreCase: boolean): boolean {
  if (byte === wanted || (byte === BACKSLASH && wanted === SLASH)) return false
  if (!ignoreCase) return true
  return byte < 0x80 && (byte < 0x41 || byte > 0x5a || byte + 0x20 !== wanted)
}

/** FNV-1a. */
const HASH_START = 0x811c9dc5 | 0
const HASH_FACTOR = 0x01000193

/**
 * By hashes of the names that are meant, and of the folders of which everything is. How it comes to most of its answers
 * is that no wanted name has such a length and end; so little is read of each name.
 */
function prefilterOfNames(names: readonly string[], trees: readonly string[], ignoreCase: boolean): Wanted {
  const all = [...names, ...trees]
  const ascii = all.filter(isAscii)
  const fold = plainBytes(ignoreCase)
  const table = new HashTable(ascii, fold)
  const isTree = trees.length > 0
  // How the name is written depends on the encoding then.
  const isAnyNonAscii = ignoreCase || ascii.length < all.length
  const tails = isTree || isAnyNonAscii ? undefined : new Tails(ascii, fold)
  const may = (bytes: Uint8Array, start: number, end: number) => {
    if (tails !== undefined && !tails.mayHave(bytes, start, end)) return false
    let hash = HASH_START
    for (let i = start; i < end; i++) {
      const byte = bytes[i]!
      if (byte >= 0x80 && isAnyNonAscii) return true
      if (isSlash(byte) && (isTree || i === end - 1) && table.has(hash)) return true
      hash = Math.imul(hash ^ fold[byte]!, HASH_FACTOR)
    }
    return table.has(hash)
  }
  return { begins: beginsOf(all.map(firstByte), ignoreCase), may }
}

class HashTable {
  readonly #table: Int32Array
  readonly #mask: number

  constructor(names: readonly string[], fold: Uint8Array) {
    let size = 16
    while (size < names.length * 3) size *= 2
    this.#table = new Int32Array(size)
    this.#mask = size - 1
    for (const name of names) {
      let hash = HASH_START
      for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ fold[name.charCodeAt(i)]!, HASH_FACTOR)
      this.#table[this.#slotOf(hash || 1)] = hash || 1
    }
  }

  has = (hash: number): boolean => this.#table[this.#slotOf(hash || 1)] !== 0

  /** Where it is, or would be. */
  #slotOf(hash: number): number {
    const table = this.#table
    let slot = mixed(hash) & this.#mask
    while (table[slot] !== 0 && table[slot] !== hash) slot = (slot + 1) & this.#mask
    return slot
  }
}

const TAIL = 8

/** Lengths of names with their last bytes, as bits. */
class Tails {
  readonly #fold: Uint8Array
  readonly #bits: Uint8Array
  readonly #mask: number

  constructor(names: readonly string[], fold: Uint8Array) {
    let size = 1024
    while (size < names.length * 16) size *= 2
    this.#fold = fold
    this.#bits = new Uint8Array(size / 8)
    this.#mask = size - 1
    const tail = new Uint8Array(TAIL)
    for (const name of names) {
      const start = Math.max(0, name.length - TAIL)
      for (let i = start; i < name.length; i++) tail[i - start] = name.charCodeAt(i)
      const bit = this.#bitOf(tail, name.length, name.length - start)
      this.#bits[bit >> 3]! |= 1 << (bit & 7)
    }
  }

  mayHave(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#has(bytes, start, end)) return true
    return end > start && isSlash(bytes[end - 1]!) && this.#has(bytes, start, end - 1)
  }

  #has(bytes: Uint8Array, start: number, end: number): boolean {
    const bit = this.#bitOf(bytes, end - start, end)
    return (this.#bits[bit >> 3]! & (1 << (bit & 7))) !== 0
  }

  #bitOf(bytes: Uint8Array, length: number, end: number): number {
    let hash = length
    for (let i = end - Math.min(length, TAIL); i < end; i++)
      hash = Math.imul(hash ^ this.#fold[bytes[i]!]!, HASH_FACTOR)
    return mixed(hash) & this.#mask
  }
}

function mixed(hash: number): number {
  const half = Math.imul(hash ^ (hash >>> 16), 0x7feb352d)
  return half ^ (half >>> 15)
}

/** What each byte counts as: a backslash as a slash, and a capital letter as a small one where case is ignored. */
function plainBytes(ignoreCase: boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => {
    if (byte === BACKSLASH) return SLASH
    return ignoreCase && byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte
  })
}
