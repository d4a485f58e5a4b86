/** The lines of a log of `ssh -v`, with the time at which each came, out of whatever people paste. */
import { DAY, type Microseconds, STAMP_FORMS, type Stamp, type StampForm } from './stamp.ts'

export interface Line {
  /** From 1, as editors count. */
  readonly number: number
  /** Since the first stamp; a line without a stamp came when the one before it did. Null: nobody knows. */
  readonly us: Microseconds | null
  /** Without its stamp and without `debug1: `. */
  readonly text: string
  /** 1 to 3; 0: a line that is no debug line. */
  readonly level: number
  /** What the other side wrote on standard output. */
  readonly isOutput: boolean
}

export interface Log {
  readonly lines: readonly Line[]
  /** Each line has come at the second that its stamp says, and no more is known. */
  readonly isWhole: boolean
  /** Each line tells from which stream it came, so that what came on standard output is in it, or nothing did. */
  readonly hasStreams: boolean
  /** The line whose stamp is before that of an earlier one; then no line has a time. */
  readonly backwards: number | null
}

/** Nothing that ssh itself writes is longer; of a longer line the rest is left out. */
const LINE_MAX = 4096
/** Two programs that write at once may be stamped in the wrong order, by this much. */
const DISORDER: Microseconds = 50_000
/** As many lines of ssh tell by whom they were stamped. */
const SAMPLE = 2000

const DEBUG = /^[Dd]ebug([123]): ?/
const VERSION = /^OpenSSH_\d/
const [ESCAPE, BELL] = ['\u001b', '\u0007']
/** What steers a terminal: `ESC [ ... letter`, and `ESC ] ...` up to a bell or the next escape. */
const SEQUENCE = new RegExp(`${ESCAPE}(?:\\[[0-9;?]*[ -/]*[@-~]|\\][^${BELL}${ESCAPE}]*${BELL}?)`, 'g')
const ODD = /[^\u0020-\u007e]/
/** Marks of a letter that this log is quoted in. */
const QUOTED = /^(?:[>|] ?)+/
const DAMAGE: readonly (readonly [RegExp, string])[] = [
  [/[\u200b\u2060\ufeff]/g, ''],
  [/[\u00a0\u2007\u202f\t]/g, ' '],
  [/[\u2018\u2019]/g, "'"],
  [/[\u201c\u201d]/g, '"'],
  [/[\u2010-\u2015]/g, '-'],
]

/** Undefined: no line of it is of ssh. */
export function readLog(text: string): Log | undefined {
  const raw = text.split('\n').map(mended)
  if (raw.at(-1) === '') raw.pop()
  const form = formOf(raw)
  if (form === undefined && !raw.some(isSsh)) return undefined
  const clockwork = new Clockwork(form?.name === 'clock')
  let hasFraction = form === undefined
  const lines = raw.map((line, i): Line => {
    const stamp = form?.read(line)
    hasFraction ||= stamp?.hasFraction === true
    const us = clockwork.at(i + 1, stamp)
    return lineOf(i + 1, us, stamp === undefined ? line : line.slice(stamp.end), stamp?.isOutput ?? false)
  })
  const { backwards } = clockwork
  const hasStreams = form?.name === 'stream'
  if (backwards === null) return { lines, isWhole: !hasFraction, hasStreams, backwards }
  return { lines: lines.map((line) => ({ ...line, us: null })), isWhole: false, hasStreams, backwards }
}

function lineOf(number: number, us: Microseconds | null, text: string, isOutput: boolean): Line {
  const bare = isOutput ? text : plain(text).trimEnd()
  const debug = isOutput ? null : DEBUG.exec(bare)
  const level = debug === null ? 0 : Number(debug[1])
  return { number, us, text: debug === null ? bare : bare.slice(debug[0].length), level, isOutput }
}

/** What mail, chat and word processors make of it is taken back. */
function mended(raw: string): string {
  let line = raw.length > LINE_MAX ? raw.slice(0, LINE_MAX) : raw
  if (ODD.test(line)) for (const [odd, plain] of DAMAGE) line = line.replace(odd, plain)
  if (line.endsWith('\r')) line = line.replace(/\r+$/, '')
  return QUOTED.test(line) ? line.replace(QUOTED, '') : line
}

/** Most lines have none. */
const plain = (line: string) => (line.includes(ESCAPE) ? line.replace(SEQUENCE, '') : line)

function isSsh(line: string): boolean {
  const text = plain(line).trimStart()
  return DEBUG.test(text) || VERSION.test(text)
}

/** The form in which most lines of ssh are stamped; undefined: most have no stamp. */
function formOf(raw: readonly string[]): StampForm | undefined {
  const counts = new Map<StampForm | undefined, number>()
  let left = SAMPLE
  for (const line of raw) {
    if (left === 0) break
    const form = STAMP_FORMS.find((one) => {
      const stamp = one.read(line)
      return stamp !== undefined && isSsh(line.slice(stamp.end))
    })
    if (form === undefined && !isSsh(line)) continue
    counts.set(form, (counts.get(form) ?? 0) + 1)
    left--
  }
  return Array.from(counts).sort(([, a], [, b]) => b - a)[0]?.[0]
}

/** Stamps, one after the other, made into the time since the first. It never runs backwards. */
class Clockwork {
  /** The first line that came before an earlier one. */
  backwards: number | null = null
  readonly #hasNoDay: boolean
  #first: Microseconds | null = null
  #now: Microseconds | null = null
  #days: Microseconds = 0

  constructor(hasNoDay: boolean) {
    this.#hasNoDay = hasNoDay
  }

  at(number: number, stamp: Stamp | undefined): Microseconds | null {
    if (stamp === undefined) return this.#now
    this.#first ??= stamp.us
    const before = this.#now ?? 0
    let us = stamp.us - this.#first + this.#days
    // Past midnight a clock begins anew: that is once, and by most of a day.
    if (this.#hasNoDay && this.#days === 0 && us < before - DAY / 2) {
      this.#days = DAY
      us += DAY
    }
    if (us < before - DISORDER) this.backwards ??= number
    this.#now = Math.max(us, before)
    return this.#now
  }
}
