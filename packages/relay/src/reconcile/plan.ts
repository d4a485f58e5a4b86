/** What a second source of the same run says beside the ledger, and what it could put right (rules R46 to R48). */
import type { DatabaseSync } from 'node:sqlite'
import { CLOCKS_MS, type Entry, isAlike, judge, maybe, overlap, pairUp, type Verdict } from '../core/match.ts'
import { isWhole } from '../core/quality.ts'
import type { Account, Addition, Completion } from '../core/reconcile.ts'
import { type AllocationFacts, numbersOf } from '../core/record.ts'
import { filesByKind, foldFiles, ReplayFault, roomFault } from '../replay.ts'
import type { LedgerOptions } from '../store/ledger.ts'
import { type Group, Ledgers } from './entries.ts'
import { Home, readHomes } from './home.ts'

/** An allocation that the two do not know alike. */
export interface Difference {
  readonly verdict: Exclude<Verdict, 'equal'>
  readonly mine: AllocationFacts | null
  readonly other: AllocationFacts | null
  /** Of what is unclear: why. */
  readonly why?: Doubt
}

/**
 * Why something is unclear: `several` of that name fit; the log tells `no times`; nobody knows to which `server` it
 * belongs; there was `no gap` in which it could have been missed.
 */
export type Doubt = 'several' | 'no times' | 'server' | 'no gap'

/** Nothing of it is done yet. */
export interface Plan {
  /** Allocations of the second source. */
  readonly allocations: number
  /** Its first and last time, milliseconds since the epoch by its own clock; null: it tells none. */
  readonly from: number | null
  readonly to: number | null
  /** How far the meter's clock is ahead of the source's, in milliseconds; 0 for less than two seconds. */
  readonly aheadMs: number
  readonly equal: number
  readonly differences: readonly Difference[]
  /** Allocations of the ledger that were there in the source's time and are not in it. */
  readonly absent: number
  readonly completions: readonly Completion[]
  readonly additions: readonly Addition[]
}

/** What is read from files, and what they say beside the ledger. */
export interface FilePlan extends Plan {
  readonly malformed: number
  /** Files of which only the beginning could be unpacked, in a line each. */
  readonly cut: readonly string[]
}

/** Times of a recording may run back by that much: clocks are set, and threads take turns. */
const BACK_MAX_MS = 60_000

/** Compares the ledger `mine` with recordings of one form. Throws a `ReplayFault` when they cannot be read. */
export async function planFrom(
  mine: DatabaseSync,
  files: readonly string[],
  {
    server,
    progress,
    ...options
  }: LedgerOptions & { readonly server?: string; readonly progress: (line: string) => void },
): Promise<FilePlan> {
  const byKind = await filesByKind(files)
  const [kind] = byKind.keys()
  if (byKind.size !== 1) {
    const kinds = Array.from(byKind, ([{ name }, [first]]) => `${first} is ${name}`)
    throw new ReplayFault(`${kinds.join(', ')}: give files of one form at a time`)
  }
  const { ledger, malformed, cut, back } = await foldFiles(kind!, files, options, progress)
  try {
    if (back !== null && back.ms > BACK_MAX_MS) {
      const far = `its times run back by ${Math.round(back.ms / 1000)} s`
      throw new ReplayFault(`${back.file}: ${far}: give the oldest file first, and each one once`)
    }
    return { ...plan(mine, ledger.db, server, progress), malformed, cut }
  } catch (error) {
    throw roomFault(error) ?? error
  } finally {
    ledger.close()
  }
}

/** Compares the ledger `mine` with `other`, which is used up by it. `server`: only what this one reported. */
export function plan(
  mine: DatabaseSync,
  other: DatabaseSync,
  server?: string,
  progress: (line: string) => void = () => {},
): Plan {
  return new Planner(mine, other, server, progress).plan()
}

type Unpaired = { readonly path: Uint8Array; readonly other: Entry; readonly rival: Doubt | undefined }

class Planner {
  readonly #homes: ReadonlyMap<number, Home>
  readonly #ledgers: Ledgers
  readonly #aheadMs: number
  readonly #differences: Difference[] = []
  readonly #completions: Completion[] = []
  readonly #additions: Addition[] = []
  #equal = 0
  #from = Number.POSITIVE_INFINITY
  #to = Number.NEGATIVE_INFINITY

  constructor(mine: DatabaseSync, other: DatabaseSync, server: string | undefined, progress: (line: string) => void) {
    this.#homes = readHomes(mine, server)
    if (this.#homes.size === 0) {
      throw new ReplayFault(
        `no server ${server === undefined ? '' : `${JSON.stringify(server)} `}has ever been heard here`,
      )
    }
    this.#ledgers = new Ledgers(mine, other, (stream) => this.#homes.has(stream), progress)
    this.#aheadMs = clockDifference(this.#ledgers)
  }

  plan(): Plan {
    const unpaired: Unpaired[] = []
    for (const group of this.#ledgers.groups()) unpaired.push(...this.#pairUp(group))
    // Where it belongs is known by those that both have.
    for (const one of unpaired) this.#addIfMissed(one)
    const isTimed = this.#from <= this.#to
    const span = isTimed ? ([this.#from + this.#aheadMs, this.#to + this.#aheadMs] as const) : undefined
    return {
      allocations: this.#ledgers.size,
      from: isTimed ? this.#from : null,
      to: isTimed ? this.#to : null,
      aheadMs: this.#aheadMs,
      equal: this.#equal,
      differences: this.#differences.sort((a, b) => beganAt(a) - beganAt(b)),
      absent:
        span === undefined ? 0 : Array.from(this.#homes.values()).reduce((sum, home) => sum + home.absent(span), 0),
      completions: this.#completions,
      // What is added first may be what the next one touches.
      additions: this.#additions.sort((a, b) => a.account.openedAt - b.account.openedAt),
    }
  }

  /** Returns those of the second source that are nobody's here. */
  #pairUp({ path, mine, others }: Group): Unpaired[] {
    for (const { facts } of others) {
      const times = [facts.openedAt ?? facts.heardAt, facts.closedAt].filter((t) => t !== null)
      this.#from = Math.min(this.#from, ...times)
      this.#to = Math.max(this.#to, ...times)
    }
    const pairs = pairUp(mine, others, this.#aheadMs)
    const alone = pairs.flatMap((pair) => (pair.other === null ? [pair.mine!] : []))
    const strangers = pairs.flatMap((pair) => (pair.mine === null ? [pair.other!] : []))
    for (const { mine: one, other } of pairs) if (one !== null && other !== null) this.#judge(one, other)
    // Where clocks were set, or a log was given twice, times say less than they seem to.
    const mayBe = (one: Entry, other: Entry) => maybe(one, other, this.#aheadMs, CLOCKS_MS)
    for (const one of alone) {
      const rival = strangers.find((other) => mayBe(one, other))
      if (rival === undefined) this.#differ('lacks', one.facts, null)
      else this.#differ('unclear', one.facts, null, doubtOf(rival))
    }
    return strangers.map((other) => {
      const isRivalled =
        alone.some((one) => mayBe(one, other)) ||
        // Of one path there is no other one at the same time, as far as the ledger knows.
        mine.some((one) => overlap(one.facts, other.facts, this.#aheadMs)) ||
        [...mine, ...others].some((one) => one !== other && isAlike(one, other))
      return { path, other, rival: isRivalled ? doubtOf(other) : undefined }
    })
  }

  #judge(mine: Entry, other: Entry): void {
    const home = this.#homes.get(mine.stream)!
    const closedAt = (other.facts.closedAt ?? Number.NaN) + this.#aheadMs
    const verdict = judge(mine, other, home.hasHeard(closedAt) && home.missed(closedAt))
    home.took(mine)
    if (verdict !== 'contradicts') home.linked(mine, other)
    if (verdict === 'equal') this.#equal++
    else this.#differ(verdict, mine.facts, other.facts)
    if (verdict === 'completes') this.#completions.push({ id: mine.id, account: accountOf(other.facts, this.#aheadMs) })
  }

  #differ(verdict: Difference['verdict'], mine: AllocationFacts | null, other: AllocationFacts | null, why?: Doubt) {
    this.#differences.push({ verdict, mine, other, ...(why === undefined ? {} : { why }) })
  }

  #addIfMissed({ path, other, rival }: Unpaired): void {
    const { facts } = other
    const unclear = (why: Doubt) => this.#differ('unclear', null, facts, why)
    const openedAt = (facts.openedAt ?? Number.NaN) + this.#aheadMs
    const closedAt = (facts.closedAt ?? Number.NaN) + this.#aheadMs
    if (!isWhole(facts.quality) || facts.ended !== 'deleted') {
      return this.#differ(facts.ended === 'open' ? 'not over' : 'lacks', null, facts)
    }
    if (rival !== undefined) return unclear(rival)
    if (!(openedAt <= closedAt)) return unclear('no times')
    const home = Home.of(this.#homes, other)
    if (home === undefined) return unclear('server')
    if (!home.hasHeard(closedAt)) return this.#differ('not over', null, facts)
    // Either moment would have been heard of.
    if (!home.missed(openedAt) || !home.missed(closedAt)) return unclear('no gap')
    this.#differ('adds', null, facts)
    const account = accountOf(facts, this.#aheadMs)
    this.#additions.push({ stream: home.id, boot: home.bootOf(other, openedAt), path, account })
  }
}

function beganAt({ mine, other }: Difference): number {
  const { openedAt, heardAt } = (other ?? mine)!
  return openedAt ?? heardAt ?? 0
}

/** Why nobody can tell whether this one is another one. */
const doubtOf = ({ facts: { openedAt, heardAt } }: Entry): Doubt =>
  (openedAt ?? heardAt) === null ? 'no times' : 'several'

const SAMPLES = 200
const AHEAD_MIN_MS = 2000

/**
 * The median over allocations that are surely the same: the only ones of their path, with the same counters, and they
 * carried. What did not, such as a probe, may count the same after each restart.
 */
function clockDifference(ledgers: Ledgers): number {
  const ahead: number[] = []
  for (const { mine, others } of ledgers.groups(({ mine, others }) => mine.length === 1 && others.length === 1)) {
    const [a] = mine
    const [b] = others
    if (!a!.facts.carries || !isAlike(a!, b!)) continue
    const difference = (a!.facts.openedAt ?? Number.NaN) - (b!.facts.openedAt ?? Number.NaN)
    if (Math.abs(difference) <= CLOCKS_MS) ahead.push(difference)
    if (ahead.length >= SAMPLES) break
  }
  const median = ahead.sort((a, b) => a - b)[Math.floor(ahead.length / 2)] ?? 0
  return Math.abs(median) < AHEAD_MIN_MS ? 0 : median
}

/** By the meter's clock. */
function accountOf(facts: AllocationFacts, aheadMs: number): Account {
  const at = (t: number | null) => (t === null ? Number.NaN : t + aheadMs)
  const { serverAddress, clientAddress, origin, closeReason, peer } = facts
  const addresses = serverAddress === null ? '' : `local=${serverAddress}, remote=${clientAddress ?? ''}, `
  const closing = closeReason === null ? '' : `closed ${addresses}reason=${closeReason}, origin=${origin ?? ''}`
  return {
    openedAt: at(facts.openedAt),
    goodbyeAt: at(facts.goodbyeAt),
    // An end that was only reckoned there is no better than one that was reckoned here.
    closedAt: facts.ended === 'deleted' ? at(facts.closedAt) : Number.NaN,
    relayTo: at(facts.relayTo),
    client: numbersOf(facts.client),
    peer: peer === null ? null : numbersOf(peer),
    closing: Buffer.from(closing),
  }
}
