/**
 * Who uses the server for what: command x kind of key x client, from windows in which everything was logged, and from
 * what is known exactly: how often each command came and how long it took in all (INFO), and each slow one (slow log).
 */
import { type Interval, type Row, type Stratum, shares } from '@fettle/estimate'
import { type Call, callsOf, seenCall } from './call.ts'
import type { Facts } from './facts.ts'
import { foldRare } from './fold.ts'
import { isContainer, type Load } from './load.ts'

export interface Use {
  /** Those that take most of the time first. */
  readonly rows: readonly UseRow[]
  readonly windows: number
  /** Commands that were seen in the windows. */
  readonly seen: number
  /**
   * How many times more or less often than in truth the windows saw a command, beyond chance: 1 or more. Intervals are
   * as much wider: whoever is slowed down by being watched is seen too rarely, and that may be so among the callers of
   * one command too.
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
      const own = rows.get(command) ?? []
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
    return part.rows.map((row) => {
      const share = widened(estimated[next++] ?? exactly(0), most, observer)
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

/** As much more uncertain, on the scale of odds within its command, as watching has been seen to change the mix. */
function widened({ value, low, high, confidence }: Interval, most: number, times: number): Interval {
  if (most === 0 || times === 1) return { value, low, high, confidence }
  const stretch = (end: number, by: number) => {
    const part = Math.min(1, end / most)
    return (most * part * by) / (1 - part + part * by)
  }
  return { value, low: stretch(low, 1 / times), high: stretch(high, times), confidence }
}

function observerOf(parts: readonly Part[]): number {
  const total = parts.reduce((sum, { calls }) => sum + calls, 0)
  const told = parts.filter(({ rows }) => rows.length > 0)
  const seen = shares(
    [{ total: 1 }],
    told.map(({ rows }) => ({ stratum: 0, amounts: sumOf(rows.map(({ calls }) => calls)) })),
  )
  const odds = (share: number) => share / (1 - share)
  let most = 1
  told.forEach(({ calls }, i) => {
    const [exact, estimate] = [calls / total, seen?.[i]]
    if (estimate === undefined || exact < TELLING || exact >= 1) return
    if (exact < estimate.low && estimate.low < 1) most = Math.max(most, odds(estimate.low) / odds(exact))
    if (exact > estimate.high && estimate.high > 0) most = Math.max(most, odds(exact) / odds(estimate.high))
  })
  return most
}

function sumOf(rows: readonly Float64Array[]): Float64Array {
  const sum = new Float64Array(rows[0]!.length)
  for (const row of rows) for (let w = 0; w < sum.length; w++) sum[w]! += row[w]!
  return sum
}
