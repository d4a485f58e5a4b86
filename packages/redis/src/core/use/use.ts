/**
 * Who uses the server for what: command x kind of key x client, from windows in which everything was logged, and from
 * what is known exactly: how often each command came and how long it took in all (INFO), and each slow one (slow log).
 */
import { type Interval, type Row, type Stratum, shares } from '@fettle/estimate'
import type { Facts } from '../facts.ts'
import { isContainer, type Load } from '../load.ts'
import { type Call, callsOf, seenCall } from './call.ts'
import { foldRare } from './fold.ts'

export interface Use {
  /** Those that take most of the time first. */
  readonly rows: readonly UseRow[]
  readonly windows: number
  /** Commands that were seen in the windows. */
  readonly seen: number
  /**
   * By which factor the odds of a command among all are off in the windows, on average: 1 or more. How often each came
   * is known exactly, so that this can be told. Intervals are as much wider: whoever waits for each answer asks less
   * often while being watched, and that is so among the callers of one command too.
   */
  readonly observer: number
}

export interface UseRow {
  readonly command: string
  /** Empty: it has no key, or none was seen. */
  readonly pattern: string
  /** Its name, else its host; empty: the server does not say, or none was seen. */
  readonly client: string
  /** Of all calls. */
  readonly calls: Interval
  /** Of the time spent on executing. */
  readonly executing: Interval
}

const WINDOWS_MIN = 4
/** A command that comes more rarely says little of what watching changes. */
const TELLING = 0.05

/** Undefined: there were no windows, or nothing in them. */
export function useOf({ live }: Facts, load: Load): Use | undefined {
  const windows = live?.windows.filter(({ entries }) => entries.length > 0) ?? []
  if (live === null || windows.length < WINDOWS_MIN || load.over === 'life') return undefined
  const isSlow = ({ seconds }: Call) => live.tailSeconds !== null && seconds >= live.tailSeconds
  const calls = windows.map(({ entries }) => callsOf(entries, live.showKeys))
  const slowCalls = live.tail.map((entry) => seenCall(entry, live.showKeys))
  const folded = foldRare([...calls.flat(), ...slowCalls].map(({ pattern }) => pattern))
  const table = new Tally(windows.length, folded)
  calls.forEach((window, w) => {
    const weight = windows[w]!.logged / window.length
    for (const call of window) table.add(call, w, weight, isSlow(call))
  })
  for (const call of slowCalls) table.addSlow(call)
  const parts = table.parts(load)
  const observer = observerOf(parts)
  return {
    rows: rowsOf(parts, observer),
    windows: windows.length,
    seen: calls.reduce((sum, window) => sum + window.length, 0),
    observer,
  }
}

/** What was seen of one command, key and client. */
interface Seen {
  readonly command: string
  readonly pattern: string
  readonly client: string
  readonly calls: Float64Array
  readonly seconds: Float64Array
  slowCalls: number
  slowSeconds: number
}

/** A command, of which INFO knows how often and how long. */
interface Part {
  readonly command: string
  /** Without the slow ones. */
  readonly calls: number
  readonly seconds: number
  readonly rows: readonly Seen[]
}

class Tally {
  readonly #windows: number
  readonly #folded: ReadonlyMap<string, string>
  readonly #rows = new Map<string, Seen>()
  /** Of scripts and transactions: what they took in the windows, and how much of that was their own. */
  readonly #inside = new Map<string, { own: number; all: number }>()

  constructor(windows: number, folded: ReadonlyMap<string, string>) {
    this.#windows = windows
    this.#folded = folded
  }

  /** `weight`: how many calls this one stands for, since the log did not hold all of the window. */
  add(call: Call, window: number, weight: number, isSlow: boolean): void {
    const { command, seconds, ownSeconds } = call
    if (isContainer(command)) {
      const inside = this.#inside.get(command) ?? { own: 0, all: 0 }
      this.#inside.set(command, { own: inside.own + ownSeconds, all: inside.all + seconds })
    }
    if (isSlow) return
    const row = this.#rowOf(call)
    row.calls[window]! += weight
    row.seconds[window]! += weight * ownSeconds
  }

  addSlow(call: Call): void {
    const row = this.#rowOf(call)
    row.slowCalls++
    row.slowSeconds += call.seconds
  }

  #rowOf({ command, pattern, client }: Call): Seen {
    const folded = this.#folded.get(pattern) ?? pattern
    const key = JSON.stringify([command, folded, client])
    let row = this.#rows.get(key)
    if (row === undefined) {
      const [calls, seconds] = [new Float64Array(this.#windows), new Float64Array(this.#windows)]
      row = { command, pattern: folded, client, calls, seconds, slowCalls: 0, slowSeconds: 0 }
      this.#rows.set(key, row)
    }
    return row
  }

  parts({ byCommand }: Load): Part[] {
    let others = 0
    for (const [name, { seconds }] of byCommand) if (!isContainer(name)) others += seconds
    // Before Redis 7.0 subcommands are not told apart.
    const rows = Map.groupBy(this.#rows.values(), ({ command }) =>
      byCommand.has(command) ? command : command.split('|')[0]!,
    )
    return Array.from(byCommand, ([command, { calls, seconds }]) => {
      // EXEC is in no slow log (redis 7.0.15); each belongs to a MULTI.
      const own = rows.get(command) ?? (command === 'exec' ? named(rows.get('multi') ?? [], command) : [])
      const slowCalls = own.reduce((sum, one) => sum + one.slowCalls, 0)
      const slowSeconds = own.reduce((sum, one) => sum + one.slowSeconds, 0)
      const rest = Math.max(0, seconds - slowSeconds) * this.#ownPart(command, seconds, others)
      return { command, calls: Math.max(0, calls - slowCalls), seconds: rest, rows: own }
    })
  }

  /** Which part of its time is not that of commands that are counted themselves. */
  #ownPart(command: string, seconds: number, others: number): number {
    if (!isContainer(command)) return 1
    const inside = this.#inside.get(command)
    if (inside !== undefined && inside.all > 0) return inside.own / inside.all
    return seconds > others ? (seconds - others) / seconds : 0
  }
}

const named = (rows: readonly Seen[], command: string): Seen[] => rows.map((row) => ({ ...row, command }))

function rowsOf(parts: readonly Part[], observer: number): UseRow[] {
  const executing = sharesOf(parts, observer, 'seconds')
  const calls = sharesOf(parts, observer, 'calls')
  const names = parts.flatMap(({ command, rows }): Pick<Seen, 'command' | 'pattern' | 'client'>[] =>
    rows.length > 0 ? [...rows] : [{ command, pattern: '', client: '' }],
  )
  return names
    .map(({ command, pattern, client }, i) => ({
      command,
      pattern,
      client,
      calls: calls[i]!,
      executing: executing[i]!,
    }))
    .sort((a, b) => b.executing.value - a.executing.value || b.calls.value - a.calls.value)
}

/** A share for each row of each part, or for the part where no row of it was seen. */
function sharesOf(parts: readonly Part[], observer: number, what: 'seconds' | 'calls'): Interval[] {
  const strata: Stratum[] = parts.map((part) => ({ total: part[what] }))
  const rows: Row[] = parts.flatMap((part, stratum) =>
    part.rows.map((row) => ({ stratum, amounts: amountsOf(part, row, what) })),
  )
  const rest = strata.reduce((sum, { total }) => sum + total, 0)
  const slow = (row: Seen) => (what === 'seconds' ? row.slowSeconds : row.slowCalls)
  const all = parts.reduce((sum, part) => sum + part.rows.reduce((inner, row) => inner + slow(row), 0), rest)
  const estimated = (rest > 0 && rows.length > 0 && shares(strata, rows)) || []
  let next = 0
  return parts.flatMap((part) => {
    const most = rest === 0 ? 0 : part[what] / rest
    if (part.rows.length === 0) return [exactly(all === 0 ? 0 : part[what] / all)]
    // After a long command so many come at once that a window's log may have lost it: then no window has seen any, and
    // those that are known exactly are the best guess at whose the others were.
    const isSeen = part.rows.some(({ calls }) => calls.some((count) => count > 0))
    const known = part.rows.reduce((sum, row) => sum + slow(row), 0)
    return part.rows.map((row) => {
      const { value: told, ...ends } = widened(estimated[next++] ?? exactly(0), most, observer)
      const share = { ...ends, value: isSeen || known === 0 ? told : (most * slow(row)) / known }
      const whole = (value: number) => (all === 0 ? 0 : (slow(row) + value * rest) / all)
      return { value: whole(share.value), low: whole(share.low), high: whole(share.high), confidence: 0.95 }
    })
  })
}

const exactly = (value: number): Interval => ({ value, low: value, high: value, confidence: 0.95 })

/** Where all calls of a command were too short for the server's clock, how often they came tells who took the time. */
function amountsOf({ rows }: Part, row: Seen, what: 'seconds' | 'calls'): Float64Array {
  const isTold = rows.some(({ seconds }) => seconds.some((value) => value > 0))
  return what === 'seconds' && isTold ? row.seconds : row.calls
}

/** The error of sampling and that of being watched are independent: as much wider, in odds within the command. */
function widened({ value, low, high, confidence }: Interval, most: number, observer: number): Interval {
  if (most === 0) return { value, low, high, confidence }
  const oddsOf = (share: number) => share / Math.max(0, most - share)
  const stretch = (end: number) => {
    const reach = Math.hypot(Math.log(oddsOf(end) / oddsOf(value)), Math.log(observer))
    const odds = oddsOf(value) * Math.exp(end < value ? -reach : reach)
    return odds === Infinity ? most : (most * odds) / (1 + odds)
  }
  const isInside = value > 0 && value < most
  return {
    value,
    low: isInside && low < value && low > 0 ? stretch(low) : low,
    high: isInside && high > value && high < most ? stretch(high) : high,
    confidence,
  }
}

/** Those that are telling: nearly all or nearly nothing would say little for what most calls are. */
function observerOf(parts: readonly Part[]): number {
  const total = parts.reduce((sum, { calls }) => sum + calls, 0)
  const told = parts.filter(({ rows }) => rows.length > 0)
  const seen = told.map(({ rows }) => rows.reduce((sum, { calls }) => sum + calls.reduce((a, b) => a + b, 0), 0))
  const all = seen.reduce((sum, calls) => sum + calls, 0)
  const squares = told.flatMap(({ calls }, i) => {
    const [exact, windows] = [calls / total, seen[i]! / all]
    const isTelling = exact >= TELLING && exact <= 1 - TELLING && windows > 0 && windows < 1
    return isTelling ? [Math.log((windows * (1 - exact)) / (exact * (1 - windows))) ** 2] : []
  })
  return squares.length === 0 ? 1 : Math.exp(Math.sqrt(squares.reduce((a, b) => a + b, 0) / squares.length))
}
