/** What of the selected entries is written, decided before anything is. */
import { collisionsOf } from './collisions.ts'
import { type Columns, DEFLATE_RATIO, MARK, METHOD, sumOf } from './directory.ts'
import { hasSpecialMode, isDos, isEncrypted, type Kind, kindOf } from './entry.ts'
import { byOffset, reach } from './spans.ts'
import { type NameOddity, oddityWords, type Refusal, refusalWords, targetOf } from './target.ts'
import { Tally, type Told } from './told.ts'

export interface PlanOptions {
  /** How many folders are taken off the front of names. */
  readonly strip: number
  /** All entries of one name are kept. */
  readonly keepsAll: boolean
  readonly makesLinks: boolean
  readonly hasSecret: boolean
  readonly maxRatio: number
  readonly maxBytes: number
  readonly maxFiles: number
  /** Nothing that who made the archive could know: names are hashed with it. */
  readonly seed: number
}

/** What is known of entries beyond the columns. */
export interface Entries {
  readonly columns: Columns
  nameOf(entry: number): string
  /** Why its content is not read; undefined: it is. */
  refusalOf(entry: number): readonly [Told, string] | undefined
  /** Where the last data may end. */
  readonly stop: number
}

export interface Plan {
  /** Sorted by where they lie in the archive. */
  readonly files: Uint32Array
  readonly folders: Uint32Array
  readonly links: Uint32Array
  /** Of the files. */
  readonly bytes: number
  readonly tally: Tally
}

/** Entries that unpack to more than the ratio are a bomb when together they are larger than this. */
const BOMB_BYTES = 256_000_000

const WHY: Readonly<Record<Refusal, Told | undefined>> = {
  empty: 'unsafe-name',
  itself: 'unsafe-name',
  stripped: undefined,
  nul: 'unsafe-name',
  absolute: 'unsafe-name',
  drive: 'unsafe-name',
  network: 'unsafe-name',
  parent: 'unsafe-name',
  'segment-long': 'long-name',
  'path-long': 'long-name',
}

const ODDITY: Readonly<Record<NameOddity, Told | undefined>> = {
  control: 'control-name',
  direction: 'control-name',
  invisible: 'control-name',
  invalid: undefined,
  backslash: undefined,
  dash: undefined,
  spaces: 'windows-name',
  'trailing-dot': 'windows-name',
  reserved: 'windows-name',
  stream: 'windows-name',
  'windows-character': 'windows-name',
}

/** `selected`: in the order of the directory. */
export function planOf(entries: Entries, selected: Uint32Array, options: PlanOptions): Plan {
  const tally = new Tally()
  const { columns } = entries
  const kept = withoutCollisions(entries, withPlaces(entries, selected, options, tally), options, tally)
  const ofKind = (kind: Kind) => kept.filter((entry) => kindOf(columns, entry) === kind)
  let files = byOffset(columns, ofKind('file'))
  files = withoutOverlaps(entries, files, tally)
  files = withoutBombs(entries, files, options, tally)
  files = withinLimits(entries, files, options, tally)
  return {
    files: sharedCopy(files),
    folders: ofKind('folder'),
    links: ofKind('link'),
    bytes: sumOf(columns.size, files),
    tally,
  }
}

function sharedCopy(list: Uint32Array): Uint32Array {
  const copy = new Uint32Array(new SharedArrayBuffer(list.length * 4))
  copy.set(list)
  return copy
}

/** Those that may be written where their names say. */
function withPlaces(entries: Entries, selected: Uint32Array, options: PlanOptions, tally: Tally): Uint32Array {
  return selected.filter((entry) => {
    const name = entries.nameOf(entry)
    const target = targetIn(entries, entry, name, options.strip)
    if (!target.ok) {
      // `./` is the folder that all goes into, and is there.
      const isHarmless = target.why === 'itself' && kindOf(entries.columns, entry) === 'folder'
      if (!isHarmless) tellOf(WHY[target.why], name, refusalWords[target.why], tally)
      return false
    }
    for (const oddity of target.oddities) tellOf(ODDITY[oddity], name, oddityWords[oddity], tally)
    const left = leftOf(entries, entry, options)
    if (left !== undefined) tally.add(left[0], name, left[1])
    else tellOdd(entries, entry, tally)
    return left === undefined
  })
}

function tellOf(what: Told | undefined, name: string, detail: string, tally: Tally): void {
  if (what !== undefined) tally.add(what, name, detail)
}

function tellOdd(entries: Entries, entry: number, tally: Tally): void {
  const isFolder = kindOf(entries.columns, entry) === 'folder'
  if (isFolder && entries.columns.size[entry]! > 0) tally.add('folder-data', entries.nameOf(entry))
  if (!isFolder && hasSpecialMode(entries.columns, entry)) tally.add('special-mode', entries.nameOf(entry))
}

/** Of several that would be one the last is kept, and folders rather than files. */
function withoutCollisions(entries: Entries, order: Uint32Array, options: PlanOptions, tally: Tally): Uint32Array {
  const { columns, nameOf } = entries
  const { replaced, blocked, alike, alikeCount } = collisionsOf({
    bytes: columns.names,
    nameEnd: columns.nameEnd,
    order,
    pathOf: (entry) => pathOf(entries, entry, options.strip),
    strip: options.strip,
    seed: options.seed,
  })
  const isLeft = new Set<number>()
  const leave = ({ entries: left, others }: typeof replaced, told: Told, how: string) => {
    for (const [i, entry] of left.entries()) {
      isLeft.add(entry)
      tally.add(told, nameOf(entry), `${how} ${nameOf(others[i]!)}`)
    }
  }
  if (!options.keepsAll) leave(replaced, 'duplicate-name', 'a later one is')
  leave(blocked, 'name-collision', 'a folder has to be there, for')
  for (const [i, entry] of alike.entries.entries()) {
    tally.add('name-collision', nameOf(entry), `like ${nameOf(alike.others[i]!)}`)
  }
  const untold = alikeCount - alike.entries.length
  if (untold > 0) tally.add('name-collision', '...', '', untold)
  return isLeft.size === 0 ? order : order.filter((entry) => !isLeft.has(entry))
}

const targetIn = ({ columns }: Entries, entry: number, name: string, strip: number) =>
  targetOf(name, { strip, isDosHost: isDos(columns.host[entry]!) })

function pathOf(entries: Entries, entry: number, strip: number): string | undefined {
  const target = targetIn(entries, entry, entries.nameOf(entry), strip)
  if (!target.ok) return undefined
  return `${target.segments.join('/')}${kindOf(entries.columns, entry) === 'folder' ? '/' : ''}`
}

/** Why an entry is left out, because of what it is; undefined: it is not. */
function leftOf(
  entries: Entries,
  entry: number,
  { makesLinks, hasSecret }: PlanOptions,
): readonly [Told, string] | undefined {
  const kind = kindOf(entries.columns, entry)
  if (kind === 'special') return ['special-file', '']
  if (kind === 'link' && !makesLinks) return ['symlink-skipped', '']
  if (kind === 'folder') return undefined
  const lie = sizeLie(entries.columns, entry)
  if (lie !== undefined) return ['size', lie]
  const refusal = entries.refusalOf(entry)
  return hasSecret && refusal?.[0] === 'encrypted' ? undefined : refusal
}

/** Why what it says of its size cannot be; undefined: it can. */
function sizeLie(columns: Columns, entry: number): string | undefined {
  const { size, compressed, marks, method } = columns
  if (marks[entry]! & MARK.badZip64) return 'its size is in a field of Zip64 that is not there'
  const [bytes, packed] = [size[entry]!, compressed[entry]!]
  if (bytes > Number.MAX_SAFE_INTEGER || packed > Number.MAX_SAFE_INTEGER) return 'it would be larger than any disk'
  if (method[entry] === METHOD.store && !isEncrypted(columns, entry) && bytes !== packed)
    return `it is stored, in ${packed} bytes, and has ${bytes}`
  const most = packed * DEFLATE_RATIO
  return method[entry] === METHOD.deflate && bytes > most
    ? `Deflate makes at most ${most} bytes of ${packed}`
    : undefined
}

/** Without those that share bytes with others, or lie outside. */
function withoutOverlaps(entries: Entries, files: Uint32Array, tally: Tally): Uint32Array {
  const { columns, stop } = entries
  const isLeft = new Uint8Array(files.length)
  // The one that reaches furthest so far.
  let furthest = 0
  let furthestEnd = -1
  for (let i = 0; i < files.length; i++) {
    const entry = files[i]!
    const start = columns.offset[entry]!
    const end = reach(columns, entry)
    if (end > stop || !(start >= 0)) {
      isLeft[i] = OUTSIDE
      continue
    }
    if (start < furthestEnd) {
      isLeft[i] = OVERLAP
      isLeft[furthest] = OVERLAP
    }
    if (end > furthestEnd) {
      furthest = i
      furthestEnd = end
    }
  }
  return files.filter((entry, i) => {
    if (isLeft[i] === 0) return true
    tally.add(isLeft[i] === OUTSIDE ? 'outside' : 'overlap', entries.nameOf(entry))
    return false
  })
}

const OUTSIDE = 1
const OVERLAP = 2

/** A header and a few bytes more may unpack to much: only what is large counts. */
function withoutBombs(entries: Entries, files: Uint32Array, { maxRatio }: PlanOptions, tally: Tally): Uint32Array {
  const { size, compressed } = entries.columns
  const isDense = (entry: number) => size[entry]! > maxRatio * Math.max(compressed[entry]!, 1)
  const bytes = files.reduce((total, entry) => (isDense(entry) ? total + size[entry]! : total), 0)
  if (bytes <= BOMB_BYTES) return files
  return files.filter((entry) => {
    if (!isDense(entry)) return true
    tally.add('bomb', entries.nameOf(entry), `${size[entry]} bytes out of ${compressed[entry]}`)
    return false
  })
}

function withinLimits(entries: Entries, files: Uint32Array, options: PlanOptions, tally: Tally): Uint32Array {
  let bytes = 0
  let count = 0
  return files.filter((entry) => {
    bytes += entries.columns.size[entry]!
    count++
    if (bytes <= options.maxBytes && count <= options.maxFiles) return true
    tally.add('limit', entries.nameOf(entry))
    return false
  })
}
