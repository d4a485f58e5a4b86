/** Names that are near to a pattern which matched nothing, and what the difference is. */
import { compileGlob, foldCase, type GlobOptions } from './glob.ts'

/** What has to be overlooked for the pattern to match. */
export type NearReason = keyof typeof nearWords

/** Each as the end of a sentence that begins with the name: `"Nginx /" has spaces at an end`. */
export const nearWords = {
  literal: 'is so called, and in a pattern [, ], *, ? and \\ stand for themselves only behind a \\',
  start: 'is meant without the / or ./ before it',
  below: 'is a folder, and what is below it is meant only with * behind it',
  crossing: 'matches, for ** stands for folders too, and * does not',
  case: 'is in other capital and small letters',
  backslash: 'has / where the pattern has \\, or the other way round',
  form: 'has letters and accents put together in another way (another Unicode normal form)',
  width: 'has characters of another width or form, as full-width ones',
  space: 'has spaces before or behind a name, or lacks them',
  inside: 'lies in a folder that the pattern does not name',
  folder: 'is there, but nothing in it matches',
  typo: 'is spelt a little differently',
} as const

export interface Near {
  /** A name of the archive, with a `/` at its end where it is a folder's; for `crossing` a pattern. */
  readonly name: string
  /** At least one. */
  readonly reasons: readonly NearReason[]
  /** How many entries are meant then, where that is known: for `crossing`, and in a `folder`. */
  readonly count?: number
}

/** What is less likely the reason comes first, and is tried first whether it can be done without. */
const LENIENCIES = ['below', 'width', 'backslash', 'inside', 'start', 'crossing', 'space', 'form', 'case'] as const
type Leniency = (typeof LENIENCIES)[number]
const ALL: ReadonlySet<Leniency> = new Set(LENIENCIES)

const NEAR_MAX = 3
/** Names whose difference is looked into; those behind them are passed over. */
const EXPLAINED_MAX = 300

/** Wildcards, and what is no plain beginning of a name therefore. */
const WILDCARD = /[*?[]/

/** Looks at names one by one, and keeps the nearest. Takes less than a microsecond a name. */
export class NearNames {
  readonly #pattern: string
  readonly #options: GlobOptions
  readonly #tests = new Map<string, (name: string) => boolean>()
  readonly #isMatchAtAll: (name: string) => boolean
  readonly #isCrossing: (name: string) => boolean
  /** The names that the pattern begins with before the first that has wildcards, with all leniency. */
  readonly #head: string
  readonly #depth: number
  /** The folder in which the pattern looks, with a `/`, as far as it is plain. */
  readonly #within: string
  /** The last name in `#head`. */
  readonly #last: string
  readonly #isWild: boolean
  #nearest: { readonly near: Near; readonly distance: number }[] = []
  #explained = 0
  #crossing = 0
  #inFolder = 0
  #folder: string | undefined
  #lastShown = ''
  #lastStart = ''

  constructor(pattern: string, options: GlobOptions = {}) {
    this.#pattern = pattern
    this.#options = options
    const parts = lenientPattern(pattern, new Set([...ALL].filter((one) => one !== 'inside' && one !== 'crossing')))
      .replace(/\/$/, '')
      .split('/')
    const wild = parts.findIndex((part) => WILDCARD.test(part.replace(/\\./gs, '')))
    this.#isWild = wild !== -1
    const head = this.#isWild ? parts.slice(0, wild) : parts
    this.#depth = head.length
    this.#head = foldCase(head.join('/').replace(/\\(.)/gs, '$1'))
    this.#within = this.#isWild && this.#head !== '' ? `${this.#head}/` : this.#head.replace(/[^/]+$/, '')
    this.#last = lastPart(this.#head)
    this.#isMatchAtAll = this.#testOf(ALL)
    this.#isCrossing = this.#testOf(new Set(['crossing']))
  }

  see(name: string): void {
    const lenient = isPlain(name) ? name.toLowerCase() : foldCase(lenientName(name, ALL))
    if (name === this.#pattern) this.#keep({ name, reasons: ['literal'] }, 0)
    else if (!this.#isMatchAtAll(lenient)) this.#seeSpelling(name, lenient)
    else if (this.#isCrossing(name)) this.#crossing++
    else this.#explain(name, lenient)
  }

  /** The nearest first. */
  found(): Near[] {
    const all = this.#nearest.map(({ near }) => near)
    if (this.#crossing > 0) {
      const name = lenientPattern(this.#pattern, new Set(['crossing']))
      all.unshift({ name, reasons: ['crossing'], count: this.#crossing })
    }
    if (all.length > 0 || this.#folder === undefined) return all.slice(0, NEAR_MAX)
    return [{ name: this.#folder, reasons: ['folder'], count: this.#inFolder }]
  }

  #testOf(leniency: ReadonlySet<Leniency>): (name: string) => boolean {
    const key = [...leniency].join()
    const known = this.#tests.get(key)
    if (known !== undefined) return known
    const ignoreCase = this.#options.ignoreCase === true || leniency.has('case')
    const unzip = this.#options.unzip === true && !leniency.has('below')
    const globs = lenientPatterns(this.#pattern, leniency, unzip).flatMap((pattern) => {
      const glob = compileGlob(pattern, { ignoreCase, unzip })
      return glob.ok ? [glob.value] : []
    })
    const test = (name: string) => globs.some((glob) => (ignoreCase ? glob.matchesFolded : glob.matches)(name))
    this.#tests.set(key, test)
    return test
  }

  #isMatch(name: string, leniency: ReadonlySet<Leniency>): boolean {
    const lenient = lenientName(name, leniency)
    const ignoreCase = this.#options.ignoreCase === true || leniency.has('case')
    return this.#testOf(leniency)(ignoreCase ? foldCase(lenient) : lenient)
  }

  #explain(name: string, lenient: string): void {
    const shown = this.#shown(name, lenient)
    if (shown === this.#lastShown || this.#explained === EXPLAINED_MAX) return
    this.#lastShown = shown
    this.#explained++
    let reasons = ALL
    for (const one of LENIENCIES) {
      const fewer = new Set([...reasons].filter((other) => other !== one))
      if (this.#isMatch(name, fewer)) reasons = fewer
    }
    this.#keep({ name: shown, reasons: [...reasons] }, reasons.size * 10 - LENIENCIES.indexOf([...reasons][0]!))
  }

  /** The name up to where the plain beginning of the pattern ends in it: the folder, not all that is in it. */
  #shown(name: string, lenient: string): string {
    if (this.#head === '') return name
    const at = `/${lenient}/`.indexOf(`/${this.#head}/`)
    if (at === -1) return name
    const above = at === 0 ? 0 : lenient.slice(0, at - 1).split('/').length
    return firstParts(name, above + this.#depth)
  }

  /** What the pattern begins with may be misspelt, or be the folder in which nothing matches. */
  #seeSpelling(name: string, lenient: string): void {
    if (this.#head === '') return
    if (this.#within !== '' && lenient.startsWith(this.#within)) {
      this.#folder ??= firstParts(name, this.#isWild ? this.#depth : this.#depth - 1)
      this.#inFolder++
    }
    if (!this.#lastStart.endsWith('/') || !lenient.startsWith(this.#lastStart)) {
      this.#lastStart = firstParts(lenient, this.#depth)
      const distance = spellingDistance(this.#head, this.#lastStart.replace(/\/$/, ''))
      if (distance !== undefined) {
        this.#keep({ name: firstParts(name, this.#depth), reasons: ['typo'] }, 100 + distance)
        return
      }
    }
    if (this.#isWild) return
    const distance = spellingDistance(this.#last, lastPart(lenient))
    if (distance !== undefined) this.#keep({ name, reasons: ['typo'] }, 110 + distance)
  }

  #keep(near: Near, distance: number): void {
    const worst = this.#nearest.at(-1)
    if (this.#nearest.length === NEAR_MAX && distance >= worst!.distance) return
    if (this.#nearest.some((one) => one.near.name === near.name)) return
    const all = [...this.#nearest, { near, distance }]
    this.#nearest = all.sort((a, b) => a.distance - b.distance).slice(0, NEAR_MAX)
  }
}

const SLASH = 0x2f
const BACKSLASH = 0x5c
const SPACE = 0x20

/** In Unicode's sense, at both ends of each part of a path. */
const OUTER_SPACES = /(?<=^|\/)\s+|\s+(?=\/|$)/g
function lenientName(name: string, leniency: ReadonlySet<Leniency>): string {
  if (isPlain(name)) return name
  return overlook(leniency.has('backslash') ? name.replaceAll('\\', '/') : name, leniency)
}

/** Whether leniency changes nothing in it but the case. */
function isPlain(name: string): boolean {
  let before = SLASH
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i)
    if (code >= 0x80 || code === BACKSLASH) return false
    // All that is below is space as well or no part of a name.
    const isEdge = (code <= SPACE && before === SLASH) || (code === SLASH && before <= SPACE)
    if (isEdge) return false
    before = code
  }
  return before > SPACE
}

function overlook(text: string, leniency: ReadonlySet<Leniency>): string {
  const form = leniency.has('width') ? text.normalize('NFKC') : leniency.has('form') ? text.normalize('NFC') : text
  return leniency.has('space') ? form.replace(OUTER_SPACES, '') : form
}

function lenientPattern(pattern: string, leniency: ReadonlySet<Leniency>): string {
  let text = leniency.has('start') ? pattern.replace(/^(?:\.?\/)+/, '') : pattern
  if (leniency.has('backslash')) text = text.replace(/\\([^\\*?[\]]|$)/g, '/$1')
  text = overlook(text, leniency)
  if (leniency.has('crossing')) text = text.replace(/\\.|\*+/gs, (part) => (part[0] === '*' ? '**' : part))
  return text
}

/** One of them has to match. A pattern that became empty matches nothing. */
function lenientPatterns(pattern: string, leniency: ReadonlySet<Leniency>, unzip: boolean): string[] {
  const text = lenientPattern(pattern, leniency)
  if (!leniency.has('inside') || text === '') return [text]
  return unzip ? [text, `*/${text}`] : [`**/${text}`]
}

/** The first names of a path, with a `/` behind them if there are more; a `\` parts them too. */
function firstParts(path: string, count: number): string {
  let left = count
  for (let i = 0; i < path.length; i++) {
    const code = path.charCodeAt(i)
    if ((code === SLASH || code === BACKSLASH) && --left === 0) return path.slice(0, i + 1)
  }
  return path
}

function lastPart(path: string): string {
  const end = path.endsWith('/') ? path.length - 1 : path.length
  return path.slice(path.lastIndexOf('/', end - 1) + 1, end)
}

/** How many letters are other, more, fewer or swapped; undefined: none, or too many for the length. */
function spellingDistance(a: string, b: string): number | undefined {
  const most = a.length < 2 ? 0 : a.length < 5 ? 1 : 2
  if (Math.abs(a.length - b.length) > most) return undefined
  let behind = 0
  const shorter = Math.min(a.length, b.length)
  while (behind < shorter && a.charCodeAt(a.length - 1 - behind) === b.charCodeAt(b.length - 1 - behind)) behind++
  const distance = changes({ a, b, aEnd: a.length - behind, bEnd: b.length - behind }, 0, 0, most)
  return distance > most || distance === 0 ? undefined : distance
}

interface Both {
  readonly a: string
  readonly b: string
  readonly aEnd: number
  readonly bEnd: number
}

/** Tried letter by letter, each way: three at the most, with nothing spent beyond `most`. More than that: too many. */
function changes(both: Both, aFrom: number, bFrom: number, most: number): number {
  const { a, b, aEnd, bEnd } = both
  let i = aFrom
  let j = bFrom
  while (i < aEnd && j < bEnd && a.charCodeAt(i) === b.charCodeAt(j)) {
    i++
    j++
  }
  if (i === aEnd || j === bEnd) return aEnd - i + bEnd - j
  if (most === 0) return 1
  const isSwap = i + 1 < aEnd && j + 1 < bEnd && a[i] === b[j + 1] && a[i + 1] === b[j]
  const other = changes(both, i + 1, j + 1, most - 1)
  const fewer = changes(both, i + 1, j, most - 1)
  const more = changes(both, i, j + 1, most - 1)
  const swapped = isSwap ? changes(both, i + 2, j + 2, most - 1) : most
  return 1 + Math.min(other, fewer, more, swapped)
}
