/**
 * Patterns of names, as they are typed.
 *
 * `*` stands for any characters within a folder, `**` for any at all, `**` + `/` for any folders or none, `?` for one
 * character, `[a-z]` and `[!a-z]` (or `[^a-z]`) for one of a set, `\` before a character for that character. Braces
 * stand for themselves: folders are called `{1B2C...}`, and a shell expands what is not quoted.
 *
 * A pattern that ends in a plain name selects a file, or a folder with everything below it, as for tar and 7z:
 * `Nginx`, `**` + `/logs`. One that ends in `/` selects folders only. `a/**` is the folder `a/` and all below it.
 *
 * With `unzip` it is as for Info-ZIP's unzip: `*` and `?` stand for `/` too, and nothing but the pattern itself is
 * selected, be it a folder. Unlike there, `?` is a character and not a byte, and `[a-]` has a `-` in it.
 *
 * Matching takes time in proportion to the length of the name multiplied by that of the pattern, whatever they are.
 */

export interface GlobOptions {
  readonly ignoreCase?: boolean
  readonly unzip?: boolean
}

export interface Glob {
  /** As it was given. */
  readonly pattern: string
  /** Nothing in it stands for anything but itself. */
  readonly isLiteral: boolean
  /** Whether a folder that it matches is selected with everything below it. */
  readonly isTree: boolean
  /** How every name that it matches begins; in small letters when case is ignored. */
  readonly prefix: string
  /** How every name that it matches ends, but for a `/` behind it; in small letters when case is ignored. */
  readonly suffix: string
  matches(name: string): boolean
  /** The same for a name that has been through {@link foldCase} already, if case is ignored. */
  matchesFolded(name: string): boolean
}

export type Compiled = { readonly ok: true; readonly value: Glob } | { readonly ok: false; readonly faults: string[] }

/** Longer than any name in an archive. */
const PATTERN_MAX = 65_535

// What stands in the place of a character; sets of characters have the numbers from SET downwards.
const ANY = -1
const STAR = -2
const GLOBSTAR = -3
const FOLDERS = -4
const SET = -16

const SLASH = 47

/** Where a match may end. */
type End = 'name' | 'entry' | 'tree' | 'folder'

interface CharSet {
  readonly isNegated: boolean
  /** Code points: from, to, from, to ... */
  readonly ranges: readonly number[]
}

interface Program {
  readonly ops: readonly number[]
  readonly sets: readonly CharSet[]
  readonly end: End
  /** Whether `*`, `?` and sets stand for a slash too. */
  readonly crosses: boolean
}

/** Every letter that has two cases in one of them, one by one: the text keeps its length in characters. */
export function foldCase(text: string): string {
  if (isAscii(text)) return text.toLowerCase()
  let folded = ''
  for (const character of text) folded += foldedCharacter(character)
  return folded
}

export function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) >= 0x80) return false
  return true
}

/** Upwards first, so that the two small sigmas and the long s fall together with their fellows. */
function foldedCharacter(character: string): string {
  const upper = character.toUpperCase()
  const lower = (isOneCharacter(upper) ? upper : character).toLowerCase()
  return isOneCharacter(lower) ? lower : character
}

const isOneCharacter = (text: string) => text.length === 1 || (text.length === 2 && text.codePointAt(0)! > 0xffff)

/** The pattern, or what is wrong with it. */
export function compileGlob(pattern: string, options: GlobOptions = {}): Compiled {
  const { ignoreCase = false, unzip = false } = options
  if (pattern === '') return { ok: false, faults: ['an empty pattern matches nothing'] }
  if (pattern.length > PATTERN_MAX) {
    return {
      ok: false,
      faults: [`a pattern of ${pattern.length} characters matches nothing: names have 65,535 at most`],
    }
  }
  const parsed = parse(ignoreCase ? foldCase(pattern) : pattern, unzip)
  if (typeof parsed === 'string') return { ok: false, faults: [`${pattern}: ${parsed}`] }
  const matchesFolded = matcher(parsed)
  const isTree = parsed.end === 'tree' || parsed.end === 'folder'
  const value: Glob = {
    pattern,
    isLiteral: parsed.ops.every((op) => op >= 0),
    isTree,
    prefix: literal(parsed.ops.slice(0, firstWildcard(parsed.ops))),
    suffix: isTree ? '' : literal(parsed.ops.slice(parsed.ops.findLastIndex((op) => op < 0) + 1)),
    matches: ignoreCase ? (name) => matchesFolded(foldCase(name)) : matchesFolded,
    matchesFolded,
  }
  return { ok: true, value }
}

/** The text with what would stand for something else behind a backslash. */
export const escapeGlob = (text: string) => text.replace(/[\\*?[]/g, '\\$&')

const literal = (ops: readonly number[]) => {
  let text = ''
  for (const op of ops) text += String.fromCharCode(op)
  return text
}

function firstWildcard(ops: readonly number[]): number {
  const first = ops.findIndex((op) => op < 0)
  return first === -1 ? ops.length : first
}

function parse(pattern: string, unzip: boolean): Program | string {
  const ops: number[] = []
  const sets: CharSet[] = []
  let at = 0
  while (at < pattern.length) {
    const read = readOp(pattern, at, unzip)
    if (typeof read === 'string') return read
    if (read.set !== undefined) sets.push(read.set)
    // A star that is a whole name stands for one: `a/*` is not the folder `a/` itself.
    if (read.op === STAR && isWholeName(pattern, at, read.next)) ops.push(ANY)
    ops.push(read.set === undefined ? read.op : SET - sets.length + 1)
    at = read.next
  }
  if (unzip) return { ops, sets, end: 'name', crosses: true }
  if (ops.at(-1) === FOLDERS) return { ops: [...ops.slice(0, -1), GLOBSTAR], sets, end: 'folder', crosses: false }
  if (ops.length > 1 && ops.at(-1) === SLASH) return { ops: ops.slice(0, -1), sets, end: 'folder', crosses: false }
  return { ops, sets, end: hasPlainEnd(ops) ? 'tree' : 'entry', crosses: false }
}

/** Whether what follows the last slash is a plain name. */
function hasPlainEnd(ops: readonly number[]): boolean {
  for (let i = ops.length - 1; i >= 0; i--) {
    if (ops[i] === SLASH || ops[i] === FOLDERS) return true
    if (ops[i]! < 0) return false
  }
  return true
}

interface Read {
  readonly op: number
  readonly next: number
  readonly set?: CharSet
}

function readOp(pattern: string, at: number, unzip: boolean): Read | string {
  const character = pattern[at]
  if (character === '*') return readStars(pattern, at, unzip)
  if (character === '?') return { op: ANY, next: at + 1 }
  if (character === '[') {
    const closing = closingBracket(pattern, at, unzip)
    if (closing !== -1) return readSet(pattern, at + 1, closing)
    if (unzip) return 'its [ has no ]; write \\[ for a [ itself'
  }
  if (character !== '\\') return { op: pattern.charCodeAt(at), next: at + 1 }
  if (at + 1 === pattern.length) return 'the \\ at its end stands before nothing; write \\\\ for a \\ itself'
  return { op: pattern.charCodeAt(at + 1), next: at + 2 }
}

function readStars(pattern: string, at: number, unzip: boolean): Read {
  let next = at
  while (pattern[next] === '*') next++
  if (unzip) return { op: GLOBSTAR, next }
  if (next - at === 1) return { op: STAR, next }
  const isFolders = pattern[next] === '/' && isWholeName(pattern, at, next)
  return isFolders ? { op: FOLDERS, next: next + 1 } : { op: GLOBSTAR, next }
}

const isWholeName = (pattern: string, start: number, end: number) =>
  (start === 0 || pattern[start - 1] === '/') && (end === pattern.length || pattern[end] === '/')

/** Where the set ends whose `[` is at `at`, or -1. A `]` that comes first is one of the set, but not for unzip. */
function closingBracket(pattern: string, at: number, unzip: boolean): number {
  let i = at + 1
  if (pattern[i] === '!' || pattern[i] === '^') i++
  if (!unzip && pattern[i] === ']') i++
  for (; i < pattern.length; i++) {
    if (pattern[i] === ']') return i
    if (pattern[i] === '\\') i++
  }
  return -1
}

function readSet(pattern: string, start: number, closing: number): Read | string {
  const isNegated = pattern[start] === '!' || pattern[start] === '^'
  const members = [...pattern.slice(isNegated ? start + 1 : start, closing)]
  const ranges: number[] = []
  let i = 0
  const member = () => (members[i] === '\\' ? members[++i]! : members[i]!)
  for (; i < members.length; i++) {
    const from = member()
    const isRange = members[i + 1] === '-' && i + 2 < members.length
    if (isRange) i += 2
    const to = isRange ? member() : from
    if (from.codePointAt(0)! > to.codePointAt(0)!) return `the range ${from}-${to} runs backwards`
    ranges.push(from.codePointAt(0)!, to.codePointAt(0)!)
  }
  if (ranges.length === 0 && !isNegated) return 'nothing stands between [ and ]; write \\[ for a [ itself'
  return { op: SET, next: closing + 1, set: { isNegated, ranges } }
}

function matcher({ ops, sets, end, crosses }: Program): (name: string) => boolean {
  const text = literal(ops)
  if (ops.every((op) => op >= 0)) return (name) => name.startsWith(text) && isEnd(end, name, text.length)
  const blocks = blocksOf(ops, end)
  const run: Run = { sets, end, crosses }
  return (name) => {
    let at = 0
    for (const block of blocks) {
      at = block.head === undefined ? findBlock(block, run, name, at) : findHead(block.head, name)
      if (at === MISS) return false
    }
    return true
  }
}

interface Run {
  readonly sets: readonly CharSet[]
  readonly end: End
  readonly crosses: boolean
}

/** What stands between two of `**`. */
interface Block {
  readonly ops: readonly number[]
  /** What stands before it; undefined: the beginning of the name. */
  readonly before: typeof GLOBSTAR | typeof FOLDERS | undefined
  readonly isLast: boolean
  /** What the name has to begin with, or to end with, where that is all there is to it. */
  readonly head?: string
  readonly tail?: string
}

function blocksOf(ops: readonly number[], end: End): Block[] {
  const blocks: Block[] = []
  let before: Block['before']
  let start = 0
  for (const [i, op] of ops.entries()) {
    if (op !== GLOBSTAR && op !== FOLDERS) continue
    blocks.push(blockOf(ops.slice(start, i), before))
    before = op
    start = i + 1
  }
  const last: Block = { ops: ops.slice(start), before, isLast: true }
  const isTail = before === GLOBSTAR && (end === 'name' || end === 'entry') && last.ops.every((op) => op >= 0)
  blocks.push(isTail ? { ...last, tail: literal(last.ops) } : last)
  return blocks
}

function blockOf(ops: readonly number[], before: Block['before']): Block {
  const isHead = before === undefined && ops.every((op) => op >= 0)
  return { ops, before, isLast: false, ...(isHead ? { head: literal(ops) } : {}) }
}

const MISS = -1
/** Nowhere either in the folder where it was tried. */
const MISS_IN_FOLDER = -2

/**
 * Where the block ends that is found first from `from` on, or MISS. First is enough: what comes earlier leaves more to
 * the `**` behind it. For the same reason only the last star of a block is gone back to; and when that has tried all of
 * its folder, the block need not be tried from another place of the folder where it began.
 */
function findBlock(block: Block, run: Run, name: string, from: number): number {
  if (block.tail !== undefined) return findTail(block.tail, run.end, name, from)
  let start = from
  for (;;) {
    const end = matchBlock(block, run, name, start)
    if (end >= 0) return end
    if (block.before === undefined) return MISS
    const skips = block.before === FOLDERS || end === MISS_IN_FOLDER
    start = skips ? name.indexOf('/', start) + 1 : start + characterLength(name, start)
    if (start > name.length || (skips && start === 0)) return MISS
  }
}

const findHead = (head: string, name: string) => (name.startsWith(head) ? head.length : MISS)

function findTail(tail: string, end: End, name: string, from: number): number {
  if (name.length - tail.length >= from && name.endsWith(tail)) return name.length
  const isEntry = end === 'entry' && name.endsWith('/') && name.length - 1 - tail.length >= from
  return isEntry && name.endsWith(tail, name.length - 1) ? name.length : MISS
}

function matchBlock({ ops, isLast }: Block, run: Run, name: string, start: number): number {
  let op = 0
  let at = start
  let starOp = -1
  let starAt = 0
  for (;;) {
    if (op === ops.length && (!isLast || isEnd(run.end, name, at))) return at
    if (ops[op] === STAR) {
      starOp = ++op
      starAt = at
      continue
    }
    const length = step(ops[op], run, name, at)
    if (length > 0) {
      op++
      at += length
      continue
    }
    if (starOp === -1) return MISS
    if (starAt >= name.length || name.charCodeAt(starAt) === SLASH) return MISS_IN_FOLDER
    starAt += characterLength(name, starAt)
    op = starOp
    at = starAt
  }
}

/** How much of the name at `at` the operation takes; 0: it does not match, or there is none. */
function step(op: number | undefined, { sets, crosses }: Run, name: string, at: number): number {
  if (op === undefined || at >= name.length) return 0
  if (op >= 0) return name.charCodeAt(at) === op ? 1 : 0
  if (!crosses && name.charCodeAt(at) === SLASH) return 0
  if (op !== ANY && !isIn(sets[SET - op]!, name.codePointAt(at)!)) return 0
  return characterLength(name, at)
}

function isIn({ isNegated, ranges }: CharSet, character: number): boolean {
  for (let i = 0; i < ranges.length; i += 2) {
    if (character >= ranges[i]! && character <= ranges[i + 1]!) return !isNegated
  }
  return isNegated
}

/** 1 behind the end as well. */
const characterLength = (name: string, at: number) => (name.codePointAt(at)! > 0xffff ? 2 : 1)

function isEnd(end: End, name: string, at: number): boolean {
  if (end === 'name') return at === name.length
  if (end === 'folder') return name.charCodeAt(at) === SLASH
  if (end === 'tree') return at === name.length || name.charCodeAt(at) === SLASH
  return at === name.length || (at === name.length - 1 && name.charCodeAt(at) === SLASH)
}
